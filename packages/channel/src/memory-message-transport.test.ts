import { VirtualClock } from "@garrison/core/virtual-clock";
import { describe, test } from "vitest";
import { memoryMessageTransport } from "./memory-message-transport.ts";
import { messageTransportContract } from "./message-transport-contract.ts";

describe("the memory transport", () => {
  test.each(messageTransportContract)("$name", async ({ run }) => {
    const clock = new VirtualClock();
    const transport = memoryMessageTransport(clock);
    await run({ transport, passVisibility: () => clock.advance(60_000) });
  });
});

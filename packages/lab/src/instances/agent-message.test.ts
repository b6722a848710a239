import { expect, test } from "vitest";
import { decodeAgentMessage, encodeAgentMessage, newAgentMessage, payloadOf } from "./agent-message.ts";

test("a message is the same after the wire", () => {
  const message = newAgentMessage("agent_job", { JobId: "ü" }, 1_700_000_000_123);
  const decoded = decodeAgentMessage(encodeAgentMessage(message));
  expect(decoded).toEqual(message);
  expect(payloadOf(decoded)).toEqual({ JobId: "ü" });
});

test("the id's halves are swapped and the type padded with blanks, as the public agent does", () => {
  const frame = encodeAgentMessage({
    type: "agent_job_ack",
    messageId: "00112233-4455-6677-8899-aabbccddeeff",
    createdMs: 1,
    payload: Buffer.from("{}"),
  });
  expect(frame.subarray(64, 80).toString("hex")).toBe("8899aabbccddeeff0011223344556677");
  expect(frame.toString("utf8", 4, 36)).toBe("agent_job_ack".padEnd(32, " "));
  expect(frame.readUInt32BE(0)).toBe(116);
  expect(frame.readUInt32BE(116)).toBe(2);
});

test("a damaged payload is refused", () => {
  const frame = encodeAgentMessage(newAgentMessage("agent_job", { a: 1 }, 0));
  frame[frame.length - 2] = 0;
  expect(() => decodeAgentMessage(frame)).toThrow(/digest/);
  expect(() => decodeAgentMessage(frame.subarray(0, 60))).toThrow(/too short/);
});

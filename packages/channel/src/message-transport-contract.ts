import { GarrisonError } from "@garrison/core/garrison-error";
import type { MessageTransport } from "./message-transport.ts";

export interface TransportUnderTest {
  readonly transport: MessageTransport;
  /** Lets time pass until unacknowledged messages are handed out again. */
  readonly passVisibility: () => Promise<void>;
}

export interface ContractCase {
  readonly name: string;
  readonly run: (subject: TransportUnderTest) => Promise<void>;
}

const signal = new AbortController().signal;

/**
 * What the channel relies on, for every implementation of `MessageTransport`; a test runs each case on a fresh queue.
 * Plain checks, so that it can be run from any package's tests.
 */
export const messageTransportContract: readonly ContractCase[] = [
  {
    name: "hands over what was sent, byte for byte",
    run: async ({ transport }) => {
      await transport.send("first.-_AZ09", { signal });
      const received = await transport.receive({ signal, waitSeconds: 5 });
      expectEqual(bodies(received), ["first.-_AZ09"]);
    },
  },
  {
    name: "carries 256 KiB",
    run: async ({ transport }) => {
      const body = "x".repeat(256 * 1024);
      await transport.send(body, { signal });
      expectEqual(bodies(await transport.receive({ signal, waitSeconds: 5 })), [body]);
    },
  },
  {
    name: "answers with nothing when nothing comes",
    run: async ({ transport }) => {
      expectEqual(await transport.receive({ signal, waitSeconds: 0 }), []);
    },
  },
  {
    name: "hands over again what was not acknowledged, and nothing that was",
    run: async ({ transport, passVisibility }) => {
      await transport.send("kept", { signal });
      const first = await transport.receive({ signal, waitSeconds: 5 });
      await passVisibility();
      const again = await transport.receive({ signal, waitSeconds: 5 });
      expectEqual(bodies(again), bodies(first));
      await transport.acknowledge(
        [...first, ...again].map((message) => message.receipt),
        { signal },
      );
      await passVisibility();
      expectEqual(await transport.receive({ signal, waitSeconds: 0 }), []);
    },
  },
  {
    name: "takes a stale receipt without complaint",
    run: async ({ transport }) => {
      await transport.send("once", { signal });
      const receipts = (await transport.receive({ signal, waitSeconds: 5 })).map(
        (message) => message.receipt,
      );
      await transport.acknowledge(receipts, { signal });
      await transport.acknowledge(receipts, { signal });
    },
  },
  {
    name: "stops waiting when told to",
    run: async ({ transport }) => {
      const stopping = new AbortController();
      const waiting = transport.receive({ signal: stopping.signal, waitSeconds: 20 }).then(
        () => "answered",
        () => "stopped",
      );
      stopping.abort();
      expectEqual(await waiting, "stopped");
    },
  },
];

function bodies(received: readonly { readonly body: string }[]): readonly string[] {
  return received.map((message) => message.body);
}

function expectEqual(actual: unknown, expected: unknown): void {
  if (JSON.stringify(actual) === JSON.stringify(expected)) return;
  throw new GarrisonError("internal", "the transport breaks its contract", { details: { actual, expected } });
}

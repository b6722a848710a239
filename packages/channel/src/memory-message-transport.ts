import type { Clock } from "@garrison/core/clock";
import { secondMs } from "@garrison/core/units";
import type { MessageTransport, ReceivedBody } from "./message-transport.ts";

interface Waiting {
  readonly body: string;
  readonly receipt: string;
  visibleAtMs: number;
}

const visibilityMs = 30 * secondMs;
const pollMs = 50;
const batchSize = 10;

/** One direction in memory, for tests: keeps order, loses nothing, hands out again what was not acknowledged. */
export function memoryMessageTransport(clock: Clock): MessageTransport {
  let waiting: Waiting[] = [];
  let receipts = 0;
  const take = (): readonly ReceivedBody[] => {
    const nowMs = clock.now();
    const taken = waiting.filter((message) => message.visibleAtMs <= nowMs).slice(0, batchSize);
    for (const message of taken) message.visibleAtMs = nowMs + visibilityMs;
    return taken.map(({ body, receipt }) => ({ body, receipt }));
  };
  return {
    send: async (body) => {
      waiting.push({ body, receipt: `receipt-${receipts++}`, visibleAtMs: 0 });
    },
    receive: async ({ signal, waitSeconds }) => {
      const untilMs = clock.now() + waitSeconds * secondMs;
      for (;;) {
        const taken = take();
        if (taken.length > 0 || clock.now() >= untilMs) return taken;
        await clock.sleep(Math.min(pollMs, untilMs - clock.now()), signal);
      }
    },
    acknowledge: async (ended) => {
      waiting = waiting.filter((message) => !ended.includes(message.receipt));
    },
  };
}

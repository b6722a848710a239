import { parentPort, workerData } from "node:worker_threads";
import { viewBlockSlot } from "./block-slot.ts";
import { withOwnMemory } from "./with-own-memory.ts";
import {
  prepareBlock,
  recoverBlock,
  type PreparedBlock,
  type PrepareJob,
  type RecoveredBlock,
  type RecoverJob,
} from "./block-work.ts";

/** The program of one worker thread: answers each job with its result or the reason why there is none. */
export interface ThreadRequest {
  readonly number: number;
  /** The slot's, which comes back with the answer. */
  readonly memory: ArrayBuffer;
  readonly prepare?: PrepareJob;
  readonly recover?: RecoverJob;
}

export interface ThreadAnswer {
  readonly number: number;
  readonly memory: ArrayBuffer;
  readonly result?: PreparedBlock | RecoveredBlock;
  readonly failure?: string;
}

const { idKey } = workerData as { readonly idKey: Uint8Array };
const port = parentPort!;

port.on("message", (request: ThreadRequest) => send(answer(request)));

function send(answer: ThreadAnswer): void {
  const { result } = answer;
  const message = result === undefined ? answer : { ...answer, result: withOwnMemory(result) };
  port.postMessage(message, [answer.memory]);
}

function answer({ number, memory, prepare, recover }: ThreadRequest): ThreadAnswer {
  try {
    const slot = viewBlockSlot(memory);
    const result =
      prepare === undefined ? recoverBlock(idKey, slot, recover!) : prepareBlock(idKey, slot, prepare);
    return { number, memory, result };
  } catch (error) {
    return { number, memory, failure: String(error) };
  }
}

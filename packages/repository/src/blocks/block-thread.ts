import { parentPort, workerData } from "node:worker_threads";
import { freeMemory } from "./free-memory.ts";
import { prepareBlock, recoverBlock, type PrepareJob, type RecoverJob } from "./block-work.ts";

/** The program of one worker thread: answers each job with its result or the reason why there is none. */
export interface ThreadRequest {
  readonly number: number;
  readonly prepare?: PrepareJob;
  readonly recover?: RecoverJob;
}

export interface ThreadAnswer {
  readonly number: number;
  readonly result?: unknown;
  readonly failure?: string;
}

const { idKey } = workerData as { readonly idKey: Uint8Array };
const port = parentPort!;

port.on("message", (request: ThreadRequest) => {
  const { number } = request;
  try {
    if (request.prepare !== undefined) {
      const result = prepareBlock(idKey, request.prepare);
      if (result.payload?.buffer !== request.prepare.bytes.buffer) freeMemory(request.prepare.bytes);
      send({ number, result }, result.payload);
    } else {
      const result = recoverBlock(idKey, request.recover!);
      freeMemory(request.recover!.stored);
      send({ number, result }, "bytes" in result ? result.bytes : undefined);
    }
  } catch (error) {
    port.postMessage({ number, failure: String(error) } satisfies ThreadAnswer);
  }
});

/** Hands over the memory instead of copying it, where nothing else lives in it. */
function send(answer: ThreadAnswer, bytes: Uint8Array | undefined): void {
  const buffer = bytes?.buffer;
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength >= 64 * 1024;
  port.postMessage(answer, isOwn ? [buffer] : []);
}

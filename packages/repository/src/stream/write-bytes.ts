import type { Writable } from "node:stream";
import { abortError } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { StoreCall } from "../store/object-store.ts";

/**
 * Writes to a stream and waits until the bytes are taken, so that their memory may be used again. Ends early when the
 * signal fires: a reader that takes nothing would hold it for ever.
 */
export function writeBytes(target: Writable, bytes: Uint8Array, call: StoreCall): Promise<void> {
  const { signal } = call;
  return new Promise((resolve, reject) => {
    const stop = () => reject(abortError(signal));
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    target.write(bytes, (error) => {
      signal.removeEventListener("abort", stop);
      if (error === null || error === undefined) resolve();
      else reject(new GarrisonError("target-unwritable", "the stream can't be written on", { cause: error }));
    });
  });
}

import { throwIfAborted } from "@garrison/core/clock";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { StoreCall } from "../store/object-store.ts";
import type { CutSizes } from "./cut-sizes.ts";
import { StreamCutter } from "./stream-cutter.ts";

export interface CutOptions {
  /** Of the domain (`deriveCutTable`). */
  readonly table: Int32Array;
  readonly sizes: CutSizes;
}

/**
 * Cuts what comes in into chunks, the same ones however it is split into reads. A chunk is a view that is valid until the
 * next one is asked for: most chunks of a second dump are known, and are then never copied. The input is read no further
 * than the chunk asked for. Throws what the input throws, as `source-unreadable` where it has no name of ours.
 */
export async function* cutStream(
  input: AsyncIterable<Uint8Array>,
  options: CutOptions,
  call: StoreCall,
): AsyncGenerator<Uint8Array> {
  const cutter = new StreamCutter(options.table, options.sizes);
  const room = Buffer.allocUnsafeSlow(options.sizes.maxBytes * 2);
  let [start, end] = [0, 0];
  for await (const read of readNamed(input, call)) {
    for (let taken = 0; taken < read.length;) {
      if (end === room.length) {
        room.copyWithin(0, start, end);
        [start, end] = [0, end - start];
      }
      const part = read.subarray(taken, taken + room.length - end);
      room.set(part, end);
      taken += part.length;
      let looked = end;
      end += part.length;
      for (let cut = cutter.find(room, looked, end); cut > 0; cut = cutter.find(room, looked, end)) {
        yield room.subarray(start, cut);
        start = cut;
        looked = cut;
      }
    }
  }
  if (end > start) yield room.subarray(start, end);
}

async function* readNamed(input: AsyncIterable<Uint8Array>, call: StoreCall): AsyncGenerator<Uint8Array> {
  try {
    for await (const read of input) {
      throwIfAborted(call.signal);
      yield read;
    }
  } catch (cause) {
    throwIfAborted(call.signal);
    if (isGarrisonError(cause)) throw cause;
    throw new GarrisonError("source-unreadable", "the stream broke off", { cause });
  }
}

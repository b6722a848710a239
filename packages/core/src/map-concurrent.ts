import { throwIfAborted } from "./clock.ts";

export interface ConcurrencyOptions {
  /** At most this many calls under way. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/**
 * Maps a possibly endless source with at most `concurrency` calls under way and yields the results **in order**. The
 * source is not read further ahead than that. The first error stops it and is thrown; calls under way are awaited.
 */
export async function* mapConcurrent<Item, Result>(
  source: AsyncIterable<Item> | Iterable<Item>,
  options: ConcurrencyOptions,
  map: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = [];
  try {
    for await (const item of source) {
      throwIfAborted(options.signal);
      const call = map(item);
      call.catch(() => undefined); // reported when its turn comes
      underWay.push(call);
      if (underWay.length >= options.concurrency) yield await underWay.shift()!;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** Calls `run` for each item, at most `concurrency` at a time, and waits for all. */
export async function forEachConcurrent<Item>(
  source: AsyncIterable<Item> | Iterable<Item>,
  options: ConcurrencyOptions,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  for await (const _ of mapConcurrent(source, options, run));
}

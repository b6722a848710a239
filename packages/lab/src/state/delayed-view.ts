import type { Clock } from "@garrison/core/clock";
import type { Collection } from "./collection.ts";

/** A collection and how it looks from where its changes arrive late. */
export interface DelayedView<Value> {
  /** Writes go here, and reads see them at once. */
  readonly current: Collection<Value>;
  /** Read only: each change shows after the delay. */
  readonly delayed: Collection<Value>;
}

interface Earlier<Value> {
  readonly value: Value | undefined;
  readonly untilMs: number;
}

export interface DelayOptions {
  readonly clock: Clock;
  readonly delayMs: number;
  /** False while the lab makes its seed: those changes hold at once. */
  isDelaying(): boolean;
}

/** Eventual consistency, repeatably: a change made at one moment is seen exactly `delayMs` later. */
export function delayView<Value>(
  collection: Collection<Value>,
  { clock, delayMs, isDelaying }: DelayOptions,
): DelayedView<Value> {
  if (delayMs === 0) return { current: collection, delayed: collection };
  const earlier = new Map<string, Earlier<Value>>();
  const remember = (key: string): void => {
    if (!isDelaying()) return;
    const known = earlier.get(key);
    const now = clock.now();
    const value = known !== undefined && known.untilMs > now ? known.value : collection.get(key);
    earlier.set(key, { value, untilMs: now + delayMs });
  };
  const get = (key: string): Value | undefined => {
    const known = earlier.get(key);
    if (known === undefined) return collection.get(key);
    if (known.untilMs > clock.now()) return known.value;
    earlier.delete(key);
    return collection.get(key);
  };
  function* entries(): IterableIterator<[string, Value]> {
    for (const key of new Set([...collection.keys(), ...earlier.keys()])) {
      const value = get(key);
      if (value !== undefined) yield [key, value];
    }
  }
  return { current: remembering(collection, remember), delayed: readOnly(collection.name, get, entries) };
}

function remembering<Value>(
  collection: Collection<Value>,
  remember: (key: string) => void,
): Collection<Value> {
  return {
    name: collection.name,
    get size() {
      return collection.size;
    },
    get: (key) => collection.get(key),
    has: (key) => collection.has(key),
    put(key, value) {
      remember(key);
      collection.put(key, value);
    },
    delete(key) {
      remember(key);
      return collection.delete(key);
    },
    keys: () => collection.keys(),
    values: () => collection.values(),
    entries: () => collection.entries(),
  };
}

function readOnly<Value>(
  name: string,
  get: (key: string) => Value | undefined,
  entries: () => IterableIterator<[string, Value]>,
): Collection<Value> {
  const refuse = (): never => {
    throw new TypeError(`${name} is a view; write to the collection itself`);
  };
  return {
    name,
    get size() {
      return [...entries()].length;
    },
    get,
    has: (key) => get(key) !== undefined,
    put: refuse,
    delete: refuse,
    *keys() {
      for (const [key] of entries()) yield key;
    },
    *values() {
      for (const [, value] of entries()) yield value;
    },
    entries,
  };
}

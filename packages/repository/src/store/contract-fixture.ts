import type { Clock } from "@garrison/core/clock";
import type { ObjectStore } from "./object-store.ts";

export interface StoreUnderTest {
  /** Empty, and used by one test only. */
  readonly store: ObjectStore;
  /** The store's own; default: the system's. */
  readonly clock?: Clock;
  readonly close?: () => Promise<void>;
}

export type WithStore = (run: (store: ObjectStore, clock: Clock) => Promise<void>) => () => Promise<void>;

export const call = { signal: new AbortController().signal };
export const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

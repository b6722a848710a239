import type { Clock } from "@garrison/core/clock";
import type { CreateOutcome, ObjectStore } from "./object-store.ts";

export interface StoreUnderTest {
  /** Empty, and used by one test only. */
  readonly store: ObjectStore;
  /** The store's own; default: the system's. */
  readonly clock?: Clock;
  /** Answers get lost on the way: a creation that succeeded may be told as one that was there before. */
  readonly losesAnswers?: boolean;
  /** Keys on a page of its listings; default 1,000. */
  readonly pageKeys?: number;
  /** The largest object that is tried; default: a little more than a pack. */
  readonly largestBytes?: number;
  readonly close?: () => Promise<void>;
}

export interface OpenedStore {
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** What a successful creation may answer. */
  readonly created: readonly CreateOutcome[];
  readonly pageKeys: number;
  readonly largestBytes: number;
}

export type WithStore = (run: (opened: OpenedStore) => Promise<void>) => () => Promise<void>;

export const call = { signal: new AbortController().signal };
export const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

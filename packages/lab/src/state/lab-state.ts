import type { Collection } from "./collection.ts";

/** All of the lab's state but the bytes of disks and objects. */
export interface LabState {
  /** The collection of that name, made on first use; the same object each time. */
  collection<Value>(name: string): Collection<Value>;
  /** Names of all collections that were ever used in this data folder. */
  names(): readonly string[];
  /** Flushes and closes the journal; the state must not be used afterwards. */
  close(): void;
}

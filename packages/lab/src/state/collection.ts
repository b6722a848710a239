/** A journaled map of plain JSON values: what `put` returned from survives a kill -9. */
export interface Collection<Value> {
  readonly name: string;
  readonly size: number;
  get(key: string): Value | undefined;
  has(key: string): boolean;
  /** Replaces the value; never change a value in place, the journal wouldn't see it. */
  put(key: string, value: Value): void;
  delete(key: string): boolean;
  keys(): IterableIterator<string>;
  values(): IterableIterator<Value>;
  entries(): IterableIterator<[string, Value]>;
}

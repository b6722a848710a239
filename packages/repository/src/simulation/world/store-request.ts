import { GarrisonError } from "@garrison/core/garrison-error";
import type { ByteRange, CreateOutcome, StoredObject } from "../../store/object-store.ts";
import type { SimulatedBucket } from "./simulated-bucket.ts";

export type RequestMethod = "create" | "read" | "list" | "listFolders" | "delete";

/** One request as it is on its way to the bucket. */
export interface StoreRequest {
  readonly method: RequestMethod;
  /** The prefix, for listings. */
  readonly key: string;
  readonly bytes?: Uint8Array;
  readonly range?: ByteRange;
  readonly startAfter?: string;
}

export interface StorePage<Item> {
  readonly items: readonly Item[];
  readonly isLast: boolean;
}

export type StoreAnswer =
  | CreateOutcome
  | Uint8Array
  | StorePage<StoredObject>
  | StorePage<string>
  | "deleted"
  | "absent";

export interface BucketTime {
  /** What the store's clock shows for an object made now. */
  readonly modifiedMs: number;
  readonly pageObjects: number;
}

export type CarryOut = (bucket: SimulatedBucket, request: StoreRequest, time: BucketTime) => StoreAnswer;

/** Carries a request out, all of it at once. Throws what the store would say. */
export const carryOut: CarryOut = (bucket, request, time) => {
  const { method, key, bytes, startAfter } = request;
  switch (method) {
    case "create":
      if (bucket.has(key)) return "exists";
      bucket.put(key, { bytes: bytes!, modifiedMs: time.modifiedMs });
      return "created";
    case "read":
      return readRange(bucket, request);
    case "delete":
      return bucket.delete(key) ? "deleted" : "absent";
    case "list":
      return cutPage(bucket.listPage(key, startAfter, time.pageObjects + 1), time.pageObjects);
    case "listFolders":
      return cutPage(bucket.listFolderPage(key, startAfter, time.pageObjects + 1), time.pageObjects);
  }
};

function readRange(bucket: SimulatedBucket, { key, range }: StoreRequest): Uint8Array {
  const object = bucket.get(key);
  if (object === undefined) throw new GarrisonError("object-missing", `${key} is not there`);
  const { offset, length } = range ?? { offset: 0, length: object.bytes.length };
  if (offset + length > object.bytes.length) {
    throw new GarrisonError("object-truncated", `${key} ends before byte ${offset + length}`);
  }
  return new Uint8Array(object.bytes.slice(offset, offset + length));
}

function cutPage<Item>(items: readonly Item[], pageObjects: number): StorePage<Item> {
  return { items: items.slice(0, pageObjects), isLast: items.length <= pageObjects };
}

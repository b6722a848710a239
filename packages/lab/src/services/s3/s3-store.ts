import { join } from "node:path";
import { systemRandom } from "@garrison/core/random";
import type { Lab } from "../../lab.ts";
import type { Collection } from "../../state/collection.ts";
import { openBlobStore, type BlobStore } from "./blob-store.ts";
import type { BucketRecord, ObjectEntry, UploadPartRecord, UploadRecord } from "./object-record.ts";
import type { VersionChange } from "./object-versions.ts";
import { SortedKeys } from "./sorted-keys.ts";

/** What a completed upload answered: S3 repeats the answer when the request is repeated. */
export interface CompletedUpload {
  readonly etag: string;
  readonly versionId?: string;
}

/**
 * A conditional write that is under way on one key. A delete that ends meanwhile disturbs it (409), a write that ends
 * meanwhile is met by the condition itself (412).
 */
export interface WriteTicket {
  disturbed: boolean;
  close(): void;
}

const completedUploadsKept = 1000;

/** Buckets, objects and uploads of one lab. Only this class changes the object index. */
export class S3Store {
  readonly blobs: BlobStore;
  readonly buckets: Collection<BucketRecord>;
  readonly uploads: Collection<UploadRecord>;
  readonly completedUploads = new Map<string, CompletedUpload>();
  readonly #objects: Collection<ObjectEntry>;
  readonly #parts: Collection<UploadPartRecord>;
  readonly #keys = new Map<string, SortedKeys>();
  readonly #tickets = new Map<string, Set<WriteTicket>>();

  constructor(lab: Lab, blobs: BlobStore) {
    this.blobs = blobs;
    this.buckets = lab.state.collection("s3-buckets");
    this.uploads = lab.state.collection("s3-uploads");
    this.#objects = lab.state.collection("s3-objects");
    this.#parts = lab.state.collection("s3-upload-parts");
  }

  /** The keys of a bucket in S3's order, those with only delete markers included. */
  keysOf(bucket: string): SortedKeys {
    let keys = this.#keys.get(bucket);
    if (keys === undefined) {
      keys = SortedKeys.from(this.#keysInIndex(bucket));
      this.#keys.set(bucket, keys);
    }
    return keys;
  }

  find(bucket: string, key: string): ObjectEntry | undefined {
    return this.#objects.get(`${bucket}/${key}`);
  }

  /** Stores a changed key, then frees the contents that it no longer refers to. */
  async apply(bucket: string, key: string, change: VersionChange): Promise<void> {
    const id = `${bucket}/${key}`;
    if (change.versions.length === 0) {
      this.#objects.delete(id);
      this.keysOf(bucket).remove(key);
    } else {
      this.#objects.put(id, { bucket, key, versions: change.versions });
      this.keysOf(bucket).add(key);
    }
    await this.blobs.delete(change.removed.flatMap(({ segments }) => segments));
  }

  openTicket(bucket: string, key: string): WriteTicket {
    const id = `${bucket}/${key}`;
    const open = this.#tickets.get(id) ?? new Set();
    this.#tickets.set(id, open);
    const ticket: WriteTicket = {
      disturbed: false,
      close: () => {
        open.delete(ticket);
        if (open.size === 0) this.#tickets.delete(id);
      },
    };
    open.add(ticket);
    return ticket;
  }

  /** Told by deletes: conditional writes on that key have to be tried again. */
  disturbWrites(bucket: string, key: string): void {
    for (const ticket of this.#tickets.get(`${bucket}/${key}`) ?? []) ticket.disturbed = true;
  }

  putPart(uploadId: string, part: UploadPartRecord): UploadPartRecord | undefined {
    const id = partKey(uploadId, part.number);
    const replaced = this.#parts.get(id);
    this.#parts.put(id, part);
    return replaced;
  }

  /** Parts of an upload in ascending order. */
  partsOf(uploadId: string): UploadPartRecord[] {
    const found: UploadPartRecord[] = [];
    for (const [id, part] of this.#parts.entries()) if (id.startsWith(`${uploadId}/`)) found.push(part);
    return found.sort((left, right) => left.number - right.number);
  }

  /** Forgets an upload; what becomes of the parts' contents is the caller's. */
  removeUpload(uploadId: string): void {
    for (const { number } of this.partsOf(uploadId)) this.#parts.delete(partKey(uploadId, number));
    this.uploads.delete(uploadId);
  }

  rememberCompleted(uploadId: string, completed: CompletedUpload): void {
    this.completedUploads.set(uploadId, completed);
    const oldest = this.completedUploads.keys().next();
    if (this.completedUploads.size > completedUploadsKept && !oldest.done)
      this.completedUploads.delete(oldest.value);
  }

  removeBucket(name: string): void {
    this.buckets.delete(name);
    this.#keys.delete(name);
  }

  /** Names of all content files that the index refers to. */
  knownFiles(): Set<string> {
    const known = new Set<string>();
    for (const { versions } of this.#objects.values()) {
      for (const { segments } of versions) for (const { file } of segments) known.add(file);
    }
    for (const { segment } of this.#parts.values()) known.add(segment.file);
    return known;
  }

  *#keysInIndex(bucket: string): Generator<string> {
    for (const entry of this.#objects.values()) if (entry.bucket === bucket) yield entry.key;
  }
}

const stores = new WeakMap<Lab, Promise<S3Store>>();

/** The lab's S3; opened on first use, when left-overs of a killed lab are removed too. */
export function s3StoreOf(lab: Lab): Promise<S3Store> {
  let store = stores.get(lab);
  if (store === undefined) {
    store = openStore(lab);
    stores.set(lab, store);
  }
  return store;
}

async function openStore(lab: Lab): Promise<S3Store> {
  const blobs = await openBlobStore(join(lab.settings.dataDir, "s3"));
  const store = new S3Store(lab, blobs);
  await blobs.sweep(store.knownFiles());
  return store;
}

/** Ids of versions and uploads: opaque, 32 characters. */
export function newOpaqueId(): string {
  return Buffer.from(systemRandom.bytes(24)).toString("base64url").replaceAll("-", ".");
}

function partKey(uploadId: string, number: number): string {
  return `${uploadId}/${String(number).padStart(5, "0")}`;
}

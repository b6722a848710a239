import {
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type {
  ByteRange,
  CreateCall,
  CreateOutcome,
  LockMode,
  ObjectStore,
  ObjectVersions,
  StoreCall,
  StoredObject,
} from "@garrison/repository/store/object-store";
import type { DataClients } from "./data-clients.ts";
import { s3LockModes } from "./s3-object-lock.ts";
import { openS3ObjectVersions } from "./s3-object-versions.ts";
import { objectAt, readS3Object, type S3Place } from "./s3-place.ts";
import { storeError } from "./s3-store-error.ts";
import { awsErrorCode } from "./translate-aws-error.ts";

export interface S3ObjectStoreOptions {
  readonly clients: Pick<DataClients, "s3">;
  readonly bucket: string;
  /** Put before every key with a slash; empty for the bucket's root. */
  readonly prefix: string;
  /** Present where the bucket keeps versions (`readBucketProtection`). */
  readonly versions?: S3Versioning;
}

export interface S3Versioning {
  /** Present where the bucket has Object Lock: what is asked for with a date. */
  readonly lockMode?: LockMode;
}

/**
 * A repository's objects in S3 or a compatible store. Makes one attempt a call: the engine's retrying store is the retry
 * layer. Creation is conditional (`If-None-Match: *`: 412 exists, 409 outcome unknown,
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
 */
export function openS3ObjectStore(options: S3ObjectStoreOptions): ObjectStore {
  return new S3ObjectStore(options);
}

class S3ObjectStore implements ObjectStore {
  readonly address: string;
  readonly versions?: ObjectVersions;
  readonly #place: S3Place;
  readonly #lockMode: LockMode | undefined;

  constructor({ clients, bucket, prefix, versions }: S3ObjectStoreOptions) {
    const root = prefix === "" ? "" : `${prefix}/`;
    this.address = `s3://${bucket}/${root}`;
    this.#place = { s3: clients.s3(), bucket, root, address: this.address };
    this.#lockMode = versions?.lockMode;
    if (versions !== undefined) this.versions = openS3ObjectVersions(this.#place, this.#lockMode);
  }

  async create(key: string, bytes: Uint8Array, call: CreateCall): Promise<CreateOutcome> {
    const put = new PutObjectCommand({
      ...objectAt(this.#place, key),
      Body: bytes,
      ContentLength: bytes.length,
      IfNoneMatch: "*",
      ...this.#lock(call),
    });
    try {
      await this.#place.s3.send(put, { abortSignal: call.signal });
      return "created";
    } catch (error) {
      if (awsErrorCode(error) === "PreconditionFailed") return "exists";
      throw storeError(error, `creating ${this.address}${key}`);
    }
  }

  async read(key: string, call: StoreCall & { readonly range?: ByteRange }): Promise<Uint8Array> {
    try {
      return await readS3Object(this.#place, { key }, call);
    } catch (error) {
      if (!isGarrisonError(error, "store-access-denied") || !(await this.#isAbsent(key, call))) throw error;
      const message = `reading ${this.address}${key}: there is no such object`;
      throw new GarrisonError("object-missing", message, { cause: error });
    }
  }

  async *list(
    prefix: string,
    call: StoreCall & { readonly startAfter?: string },
  ): AsyncGenerator<StoredObject> {
    for await (const page of this.#pages(prefix, call)) {
      for (const { Key: key, Size: sizeBytes, LastModified: modified } of page.Contents ?? []) {
        if (key === undefined) continue;
        yield {
          key: key.slice(this.#place.root.length),
          sizeBytes: sizeBytes ?? 0,
          modifiedMs: modified?.getTime() ?? 0,
        };
      }
    }
  }

  async *listFolders(prefix: string, call: StoreCall): AsyncGenerator<string> {
    for await (const page of this.#pages(prefix, { signal: call.signal, delimiter: "/" })) {
      for (const { Prefix: folder } of page.CommonPrefixes ?? []) {
        if (folder !== undefined) yield folder.slice(this.#place.root.length);
      }
    }
  }

  async delete(key: string, call: StoreCall): Promise<void> {
    const command = new DeleteObjectCommand(objectAt(this.#place, key));
    await this.#place.s3.send(command, { abortSignal: call.signal }).catch((error: unknown) => {
      throw storeError(error, `deleting ${this.address}${key}`);
    });
  }

  /**
   * Whether a key that can't be read does not exist: S3 answers 403 for a missing key when the right to list hangs on a
   * prefix (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html), so only a listing tells.
   */
  async #isAbsent(key: string, { signal }: StoreCall): Promise<boolean> {
    try {
      for await (const found of this.list(key, { signal })) return found.key !== key;
      return true;
    } catch {
      return false;
    }
  }

  /** Without a date of its own an object gets what the bucket's default says. */
  #lock({ retainUntilMs }: CreateCall) {
    if (retainUntilMs === undefined || this.#lockMode === undefined) return {};
    return {
      ObjectLockMode: s3LockModes[this.#lockMode],
      ObjectLockRetainUntilDate: new Date(retainUntilMs),
    };
  }

  async *#pages(
    prefix: string,
    call: StoreCall & { readonly startAfter?: string; readonly delimiter?: string },
  ): AsyncGenerator<ListObjectsV2CommandOutput> {
    let token: string | undefined;
    do {
      const list = new ListObjectsV2Command({
        Bucket: this.#place.bucket,
        Prefix: this.#place.root + prefix,
        Delimiter: call.delimiter,
        StartAfter: call.startAfter === undefined ? undefined : this.#place.root + call.startAfter,
        ContinuationToken: token,
      });
      const page = await this.#place.s3.send(list, { abortSignal: call.signal }).catch((error: unknown) => {
        throw storeError(error, `listing ${this.address}${prefix}`);
      });
      yield page;
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }
}

import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type ListObjectsV2CommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { GarrisonError } from "@garrison/core/garrison-error";
import type {
  ByteRange,
  CreateOutcome,
  ObjectStore,
  StoreCall,
  StoredObject,
} from "@garrison/repository/store/object-store";
import type { DataClients } from "./data-clients.ts";
import { awsErrorCode, translateAwsError } from "./translate-aws-error.ts";

export interface S3ObjectStoreOptions {
  readonly clients: Pick<DataClients, "s3">;
  readonly bucket: string;
  /** Put before every key with a slash; empty for the bucket's root. */
  readonly prefix: string;
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
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #root: string;

  constructor({ clients, bucket, prefix }: S3ObjectStoreOptions) {
    this.#s3 = clients.s3();
    this.#bucket = bucket;
    this.#root = prefix === "" ? "" : `${prefix}/`;
    this.address = `s3://${bucket}/${this.#root}`;
  }

  async create(key: string, bytes: Uint8Array, call: StoreCall): Promise<CreateOutcome> {
    const put = new PutObjectCommand({
      ...this.#object(key),
      Body: bytes,
      ContentLength: bytes.length,
      IfNoneMatch: "*",
    });
    try {
      await this.#s3.send(put, { abortSignal: call.signal });
      return "created";
    } catch (error) {
      if (awsErrorCode(error) === "PreconditionFailed") return "exists";
      throw storeError(error, `creating ${this.address}${key}`);
    }
  }

  async read(key: string, call: StoreCall & { readonly range?: ByteRange }): Promise<Uint8Array> {
    const { range } = call;
    const rangeHeader =
      range === undefined ? undefined : `bytes=${range.offset}-${range.offset + range.length - 1}`;
    const get = new GetObjectCommand({ ...this.#object(key), Range: rangeHeader });
    try {
      const { Body: body } = await this.#s3.send(get, { abortSignal: call.signal });
      const bytes = (await body?.transformToByteArray()) ?? new Uint8Array(0);
      if (range === undefined || bytes.length === range.length) return bytes;
      throw new GarrisonError(
        "object-truncated",
        `${this.address}${key} ends before byte ${range.offset + range.length}`,
      );
    } catch (error) {
      const doing = `reading ${this.address}${key}`;
      const named = readError(error, doing);
      if (named.code !== "store-access-denied" || !(await this.#isAbsent(key, call))) throw named;
      throw new GarrisonError("object-missing", `${doing}: there is no such object`, { cause: error });
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
          key: key.slice(this.#root.length),
          sizeBytes: sizeBytes ?? 0,
          modifiedMs: modified?.getTime() ?? 0,
        };
      }
    }
  }

  async *listFolders(prefix: string, call: StoreCall): AsyncGenerator<string> {
    for await (const page of this.#pages(prefix, { signal: call.signal, delimiter: "/" })) {
      for (const { Prefix: folder } of page.CommonPrefixes ?? []) {
        if (folder !== undefined) yield folder.slice(this.#root.length);
      }
    }
  }

  async delete(key: string, call: StoreCall): Promise<void> {
    const command = new DeleteObjectCommand(this.#object(key));
    await this.#s3.send(command, { abortSignal: call.signal }).catch((error: unknown) => {
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

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#root + key };
  }

  async *#pages(
    prefix: string,
    call: StoreCall & { readonly startAfter?: string; readonly delimiter?: string },
  ): AsyncGenerator<ListObjectsV2CommandOutput> {
    let token: string | undefined;
    do {
      const list = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: this.#root + prefix,
        Delimiter: call.delimiter,
        StartAfter: call.startAfter === undefined ? undefined : this.#root + call.startAfter,
        ContinuationToken: token,
      });
      const page = await this.#s3.send(list, { abortSignal: call.signal }).catch((error: unknown) => {
        throw storeError(error, `listing ${this.address}${prefix}`);
      });
      yield page;
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }
}

function readError(error: unknown, doing: string): GarrisonError {
  const code = awsErrorCode(error);
  if (code === "NoSuchKey") return new GarrisonError("object-missing", `${doing}: there is no such object`);
  if (code === "InvalidRange")
    return new GarrisonError("object-truncated", `${doing}: it ends before the range asked for`);
  return storeError(error, doing);
}

/** AWS's refusals in the words that the engine knows. */
function storeError(error: unknown, doing: string): GarrisonError {
  const translated = translateAwsError(error, doing);
  const options = { cause: error, details: translated.details };
  switch (translated.code) {
    case "aws-throttled":
    case "aws-unavailable":
      return new GarrisonError("store-unavailable", doing, options);
    case "aws-access-denied":
    case "aws-credentials-missing":
      return new GarrisonError("store-access-denied", doing, options);
    case "aws-credentials-expired":
      return new GarrisonError("store-credentials-expired", doing, options);
    default:
      return translated;
  }
}

import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { ByteRange, StoreCall, VersionName } from "@garrison/repository/store/object-store";
import { readError } from "./s3-store-error.ts";

/** A prefix of a bucket, and the client that reaches it. */
export interface S3Place {
  readonly s3: S3Client;
  readonly bucket: string;
  /** Put before every key: empty, or ending in a slash. */
  readonly root: string;
  readonly address: string;
}

export function objectAt(place: S3Place, key: string): { readonly Bucket: string; readonly Key: string } {
  return { Bucket: place.bucket, Key: place.root + key };
}

/** Reads an object, or one version of it, or a range. */
export async function readS3Object(
  place: S3Place,
  object: Partial<VersionName> & { readonly key: string },
  call: StoreCall & { readonly range?: ByteRange },
): Promise<Uint8Array> {
  const { range, signal } = call;
  const get = new GetObjectCommand({
    ...objectAt(place, object.key),
    VersionId: object.versionId,
    Range: range === undefined ? undefined : `bytes=${range.offset}-${range.offset + range.length - 1}`,
  });
  const doing = `reading ${place.address}${object.key}`;
  try {
    const { Body: body } = await place.s3.send(get, { abortSignal: signal });
    const bytes = (await body?.transformToByteArray()) ?? new Uint8Array(0);
    if (range === undefined || bytes.length === range.length) return bytes;
    throw new GarrisonError(
      "object-truncated",
      `${doing}: it ends before byte ${range.offset + range.length}`,
    );
  } catch (error) {
    throw readError(error, doing);
  }
}

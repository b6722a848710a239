import { GarrisonError } from "@garrison/core/garrison-error";
import { blockSizeBytes } from "@garrison/repository/disk/block-source";
import type { BlockRead, BlockWrite } from "./block-client.ts";
import { canonicalQuery, emptyPayloadHash } from "./request-signer.ts";

/** One of the two calls, less what depends on time and place. */
export interface BlockRequest {
  readonly operation: "GetSnapshotBlock" | "PutSnapshotBlock";
  readonly method: "GET" | "PUT";
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payloadHash: string;
  readonly body?: Uint8Array;
  readonly into?: Uint8Array;
  readonly expectedStatus: number;
  /** What it is, in the words of an error. */
  readonly doing: string;
}

export function readRequest({ snapshotId, index, token, into }: BlockRead): BlockRequest {
  const doing = `reading block ${index} of ${snapshotId}`;
  if (token === undefined || !token.isWellFormed())
    throw new GarrisonError("aws-invalid-request", `${doing}: the block has no token of a listing`);
  return {
    operation: "GetSnapshotBlock",
    method: "GET",
    path: blockPath({ snapshotId, index }, doing),
    query: canonicalQuery({ blockToken: token }),
    headers: {},
    payloadHash: emptyPayloadHash,
    into,
    expectedStatus: 200,
    doing,
  };
}

export function writeRequest({ snapshotId, index, bytes, sha256 }: BlockWrite): BlockRequest {
  const doing = `writing block ${index} of ${snapshotId}`;
  if (bytes.length !== blockSizeBytes || sha256.length !== 32)
    throw new GarrisonError("aws-invalid-request", `${doing}: ${bytes.length} bytes are not one block`);
  const digest = Buffer.from(sha256.buffer, sha256.byteOffset, sha256.byteLength);
  return {
    operation: "PutSnapshotBlock",
    method: "PUT",
    path: blockPath({ snapshotId, index }, doing),
    query: "",
    headers: {
      "content-length": String(blockSizeBytes),
      "content-type": "application/octet-stream",
      "x-amz-checksum": digest.toString("base64"),
      "x-amz-checksum-algorithm": "SHA256",
      "x-amz-data-length": String(blockSizeBytes),
    },
    payloadHash: digest.toString("hex"),
    body: bytes,
    expectedStatus: 201,
    doing,
  };
}

/** Ids and indexes that could mean something else in a path never get into one. */
function blockPath({ snapshotId, index }: { snapshotId: string; index: number }, doing: string): string {
  if (!/^snap-[0-9a-f]{1,59}$/.test(snapshotId) || !Number.isSafeInteger(index) || index < 0)
    throw new GarrisonError("aws-invalid-request", `${doing}: that is not a block of a snapshot`);
  return `/snapshots/${snapshotId}/blocks/${index}`;
}

import { createHash } from "node:crypto";
import { PutSnapshotBlockCommand } from "@aws-sdk/client-ebs";
import type { Clock } from "@garrison/core/clock";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { retry, type RetryPolicy } from "@garrison/core/retry";
import { blockSizeBytes } from "@garrison/repository/disk/block-source";
import type { BlockTarget } from "@garrison/repository/disk/block-target";
import type { DataClients } from "./data-clients.ts";
import type { RateLimit } from "./rate-limit.ts";
import { translateAwsError } from "./translate-aws-error.ts";

export interface EbsSnapshotTargetOptions {
  readonly clients: Pick<DataClients, "ebs">;
  readonly clock: Clock;
  readonly random: Random;
  /** Pending, started by whoever holds `ebs:StartSnapshot`; completing it is theirs too. */
  readonly snapshotId: string;
  readonly rateLimit?: RateLimit;
}

/**
 * A put may answer "Failed to read block data" (a cut body) or, for up to two minutes after StartSnapshot, that the
 * snapshot does not exist: both pass by themselves
 * (https://docs.aws.amazon.com/ebs/latest/userguide/error-retries.html, https://github.com/awslabs/coldsnap/issues/43).
 */
const writePolicy: RetryPolicy = {
  maxAttempts: 12,
  baseDelayMs: 100,
  maxDelayMs: 20_000,
  isRetryable: (error) =>
    isGarrisonError(error) &&
    (error.retryable ||
      error.code === "aws-not-found" ||
      (error.cause instanceof Error && error.cause.message.startsWith("Failed to read block data"))),
};

/**
 * Writes blocks into a pending EBS snapshot. Blocks must be handed over in ascending order, each once: the linear
 * checksum that CompleteSnapshot verifies is built in the order of the calls.
 */
export function openEbsSnapshotTarget(options: EbsSnapshotTargetOptions): BlockTarget {
  const ebs = options.clients.ebs();
  const linear = createHash("sha256");
  let blocksWritten = 0;
  let lastIndex = -1;

  async function put(
    index: number,
    bytes: Uint8Array,
    checksum: { readonly base64: string; readonly signal: AbortSignal },
  ) {
    await options.rateLimit?.take(checksum.signal);
    const command = new PutSnapshotBlockCommand({
      SnapshotId: options.snapshotId,
      BlockIndex: index,
      BlockData: bytes,
      DataLength: blockSizeBytes,
      Checksum: checksum.base64,
      ChecksumAlgorithm: "SHA256",
    });
    await ebs.send(command, { abortSignal: checksum.signal }).catch((error: unknown) => {
      throw translateAwsError(error, `writing block ${index} of ${options.snapshotId}`);
    });
  }

  const write: BlockTarget["write"] = async ({ index, bytes, sha256 }, { signal }) => {
    if (index <= lastIndex) throw new RangeError(`block ${index} came after block ${lastIndex}`);
    lastIndex = index;
    linear.update(sha256);
    const base64 = Buffer.from(sha256).toString("base64");
    await retry(options, { policy: writePolicy, signal }, () => put(index, bytes, { base64, signal }));
    blocksWritten += 1;
  };

  return {
    isZeroFilled: true,
    write,
    complete: async () => ({
      blocksWritten,
      bytesWritten: blocksWritten * blockSizeBytes,
      linearChecksum: linear.digest("base64"),
    }),
    close: async () => undefined,
  };
}

import { createHash } from "node:crypto";
import type { Clock } from "@garrison/core/clock";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { retry, type RetryPolicy } from "@garrison/core/retry";
import { blockSizeBytes } from "@garrison/repository/disk/block-source";
import type { BlockTarget } from "@garrison/repository/disk/block-target";
import type { DataClients } from "./data-clients.ts";
import { openBlockPace, type BlockPace } from "./ebs/block-pace.ts";

export interface EbsSnapshotTargetOptions {
  readonly clients: Pick<DataClients, "ebsBlocks">;
  readonly clock: Clock;
  readonly random: Random;
  /** Pending, started by whoever holds `ebs:StartSnapshot`; completing it is theirs too. */
  readonly snapshotId: string;
  /** Shared by all who draw on the account's quota; default: one of its own. */
  readonly pace?: BlockPace;
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
  const { snapshotId } = options;
  const blocks = options.clients.ebsBlocks();
  const pace = options.pace ?? openBlockPace(options.clock);
  const linear = createHash("sha256");
  let blocksWritten = 0;
  let lastIndex = -1;

  const write: BlockTarget["write"] = async ({ index, bytes, sha256 }, { signal }) => {
    if (index <= lastIndex) throw new RangeError(`block ${index} came after block ${lastIndex}`);
    lastIndex = index;
    linear.update(sha256);
    const block = { snapshotId, index, bytes, sha256 };
    await retry(options, { policy: writePolicy, signal }, () =>
      pace.run(snapshotId, signal, () => blocks.put(block, { signal })),
    );
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

import { ListChangedBlocksCommand, ListSnapshotBlocksCommand, type EBSClient } from "@aws-sdk/client-ebs";
import type { Clock } from "@garrison/core/clock";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { retry, type RetryPolicy } from "@garrison/core/retry";
import { GiB } from "@garrison/core/units";
import {
  blockSizeBytes,
  type BlockReference,
  type BlockSource,
} from "@garrison/repository/disk/block-source";
import type { DataClients } from "./data-clients.ts";
import { openBlockPace, type BlockPace } from "./ebs/block-pace.ts";
import { translateAwsError } from "./translate-aws-error.ts";

export interface EbsSnapshotSourceOptions {
  readonly clients: Pick<DataClients, "ebs" | "ebsBlocks">;
  readonly clock: Clock;
  readonly random: Random;
  readonly snapshotId: string;
  /** Given: only blocks that differ from this snapshot of the same volume are listed. */
  readonly baseSnapshotId?: string;
  /** Shared by all who draw on the account's quota; default: one of its own. */
  readonly pace?: BlockPace;
}

interface BlockPage {
  readonly blocks: readonly BlockReference[];
  readonly volumeSizeBytes: number;
  readonly nextToken?: string;
}

/** Many tries: who shares the account's quota may use it up for a while, and a refused call costs only time. */
const readPolicy: RetryPolicy = { maxAttempts: 10, baseDelayMs: 100, maxDelayMs: 10_000 };
/** AWS allows 100 to 10,000; a page token lives 60 minutes, so pages are kept short enough for a slow reader. */
const blocksPerPage = 5_000;

/**
 * Reads a completed EBS snapshot through the direct APIs. Every block is verified against the SHA-256 that EBS sends;
 * calls that fail for a while are repeated here, and nowhere below. Throws `ebs-base-unusable` when the base can't be compared with. Source:
 * https://docs.aws.amazon.com/ebs/latest/userguide/readsnapshots.html
 */
export async function openEbsSnapshotSource(
  options: EbsSnapshotSourceOptions,
  call: { readonly signal: AbortSignal },
): Promise<BlockSource> {
  const { snapshotId, baseSnapshotId } = options;
  const ebs = options.clients.ebs();
  const listing = { ebs, snapshotId, baseSnapshotId };
  const attempt = <Result>(signal: AbortSignal, run: () => Promise<Result>) =>
    retry(options, { policy: readPolicy, signal }, run);
  const first = await attempt(call.signal, () => readPage(listing, { startingBlock: 0 }, call.signal));

  async function* list(listCall: { readonly signal: AbortSignal; readonly fromBlock?: number }) {
    let cursor: PageCursor = { startingBlock: listCall.fromBlock ?? 0 };
    for (;;) {
      const page = await attempt(listCall.signal, () => readPageAfresh(listing, cursor, listCall.signal));
      for (const block of page.blocks) yield block;
      const last = page.blocks.at(-1);
      if (page.nextToken === undefined) return;
      cursor = {
        startingBlock: last === undefined ? cursor.startingBlock : last.index + 1,
        pageToken: page.nextToken,
      };
    }
  }

  /** Goes through the snapshot's own list as far as the wanted blocks reach: what isn't in it is zero. */
  async function* locate(wanted: Iterable<number>, { signal }: { readonly signal: AbortSignal }) {
    let found = new Map<number, BlockReference>();
    let endBlock = 0;
    for (const index of wanted) {
      if (index >= endBlock) {
        const page = await attempt(signal, () => readFilledPage({ ebs, snapshotId }, index, signal));
        found = new Map(page.blocks.map((block) => [block.index, block]));
        endBlock = page.nextToken === undefined ? Infinity : page.blocks.at(-1)!.index + 1;
      }
      yield found.get(index) ?? { index, isZero: true };
    }
  }

  const blocks = options.clients.ebsBlocks();
  const pace = options.pace ?? openBlockPace(options.clock);
  const read: BlockSource["read"] = async ({ index, token }, memory, readCall) => {
    const into = memory.subarray(0, blockSizeBytes);
    const once = () => blocks.get({ snapshotId, index, token, into }, readCall);
    const { sha256 } = await attempt(readCall.signal, () => pace.run(snapshotId, readCall.signal, once));
    return { sha256 };
  };

  return {
    sizeBytes: first.volumeSizeBytes,
    identity: `ebs:${snapshotId}`,
    coverage: baseSnapshotId === undefined ? "full" : "changes",
    list,
    locate,
    read,
    close: async () => undefined,
  };
}

interface Listing {
  readonly ebs: EBSClient;
  readonly snapshotId: string;
  readonly baseSnapshotId?: string;
}

interface PageCursor {
  readonly startingBlock: number;
  readonly pageToken?: string;
}

/** A page token that has expired is replaced by asking again from the block that it stood for. */
async function readPageAfresh(listing: Listing, cursor: PageCursor, signal: AbortSignal): Promise<BlockPage> {
  try {
    return await readPage(listing, cursor, signal);
  } catch (error) {
    const isStale = isGarrisonError(error) && error.details["reason"] === "INVALID_PAGE_TOKEN";
    if (!isStale || cursor.pageToken === undefined) throw error;
    return readPage(listing, { startingBlock: cursor.startingBlock }, signal);
  }
}

/** The page that begins with that block or the next one there is; EBS may answer with empty ones before it. */
async function readFilledPage(
  listing: Listing,
  startingBlock: number,
  signal: AbortSignal,
): Promise<BlockPage> {
  let page = await readPage(listing, { startingBlock }, signal);
  while (page.blocks.length === 0 && page.nextToken !== undefined)
    page = await readPage(listing, { startingBlock, pageToken: page.nextToken }, signal);
  return page;
}

function readPage(listing: Listing, cursor: PageCursor, signal: AbortSignal): Promise<BlockPage> {
  return listing.baseSnapshotId === undefined
    ? readAllocated(listing, cursor, signal)
    : readChanged(listing, listing.baseSnapshotId, { cursor, signal });
}

async function readAllocated(
  { ebs, snapshotId }: Listing,
  cursor: PageCursor,
  signal: AbortSignal,
): Promise<BlockPage> {
  const command = new ListSnapshotBlocksCommand({
    SnapshotId: snapshotId,
    MaxResults: blocksPerPage,
    NextToken: cursor.pageToken,
    StartingBlockIndex: cursor.startingBlock,
  });
  const page = await ebs.send(command, { abortSignal: signal }).catch((error: unknown) => {
    throw translateAwsError(error, `listing the blocks of ${snapshotId}`);
  });
  const blocks = (page.Blocks ?? []).map((block) => ({ index: block.BlockIndex!, token: block.BlockToken }));
  return { blocks, volumeSizeBytes: checkedSize(page, snapshotId), nextToken: page.NextToken };
}

async function readChanged(
  { ebs, snapshotId }: Listing,
  baseSnapshotId: string,
  { cursor, signal }: { readonly cursor: PageCursor; readonly signal: AbortSignal },
): Promise<BlockPage> {
  const command = new ListChangedBlocksCommand({
    FirstSnapshotId: baseSnapshotId,
    SecondSnapshotId: snapshotId,
    MaxResults: blocksPerPage,
    NextToken: cursor.pageToken,
    StartingBlockIndex: cursor.startingBlock,
  });
  const page = await ebs.send(command, { abortSignal: signal }).catch((error: unknown) => {
    throw baseError(error, snapshotId, baseSnapshotId);
  });
  // A block with only the base's token was there once and is gone: it reads as zeros now.
  const blocks = (page.ChangedBlocks ?? []).map((block) => ({
    index: block.BlockIndex!,
    token: block.SecondBlockToken,
    isZero: block.SecondBlockToken === undefined,
  }));
  return { blocks, volumeSizeBytes: checkedSize(page, snapshotId), nextToken: page.NextToken };
}

function baseError(error: unknown, snapshotId: string, baseSnapshotId: string): GarrisonError {
  const translated = translateAwsError(error, `listing what changed from ${baseSnapshotId} to ${snapshotId}`);
  const isBaseAtFault =
    translated.code === "aws-not-found" || translated.details["reason"] === "UNRELATED_SNAPSHOTS";
  if (!isBaseAtFault) return translated;
  return new GarrisonError("ebs-base-unusable", translated.message, {
    cause: error,
    details: translated.details,
  });
}

function checkedSize(page: { VolumeSize?: number; BlockSize?: number }, snapshotId: string): number {
  if (page.BlockSize !== undefined && page.BlockSize !== blockSizeBytes) {
    throw new GarrisonError(
      "aws-invalid-request",
      `${snapshotId} has blocks of ${page.BlockSize} bytes, not ${blockSizeBytes}`,
    );
  }
  return (page.VolumeSize ?? 0) * GiB;
}

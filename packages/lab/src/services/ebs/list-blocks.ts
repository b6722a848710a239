import type { ListChangedBlocksCommandInput, ListSnapshotBlocksCommandInput } from "@aws-sdk/client-ebs";
import { randomFraction } from "@garrison/core/random";
import { blockBytes, blockCount } from "../../disks/disk-blocks.ts";
import { diffSnapshots, seekBlock } from "../../disks/snapshot-index.ts";
import type { Call } from "../../wire/operation-handler.ts";
import type { SnapshotRecord } from "../ec2/snapshots/snapshot-record.ts";
import { validation } from "./ebs-errors.ts";
import { checkReadable, permitSnapshot } from "./permit-snapshot.ts";
import { drawAccountQuota } from "./quotas.ts";
import { blockTokenMaker, newPageToken, readPageToken } from "./tokens.ts";
import { GiB } from "@garrison/core/units";

const smallestPage = 100;
const largestPage = 10_000;

export function listSnapshotBlocks(input: ListSnapshotBlocksCommandInput, call: Call): object {
  const snapshot = permitSnapshot(call, "ebs:ListSnapshotBlocks", input.SnapshotId);
  drawAccountQuota(call, "ListSnapshotBlocks", call.lab.ec2.settings.listBlocksPerAccount);
  checkReadable(snapshot);
  const { snapshotId } = snapshot;
  const index = call.lab.ec2.disks.snapshots.index(snapshotId);
  const page = openPage(call, input, { scope: `list/${snapshotId}`, snapshot });
  const start = seekBlock(index, page.firstBlock);
  const blocks = index.blocks.subarray(start, start + page.limit);
  return {
    ...page.common,
    Blocks: Array.from(blocks, (BlockIndex) => ({
      BlockIndex,
      BlockToken: page.tokenFor(snapshotId, BlockIndex),
    })),
    NextToken: page.tokenAt(index.blocks[start + blocks.length]),
  };
}

export function listChangedBlocks(input: ListChangedBlocksCommandInput, call: Call): object {
  const second = permitSnapshot(call, "ebs:ListChangedBlocks", input.SecondSnapshotId);
  if (input.FirstSnapshotId === undefined) throw validation(undefined, "FirstSnapshotId is required.");
  const first = permitSnapshot(call, "ebs:ListChangedBlocks", input.FirstSnapshotId);
  drawAccountQuota(call, "ListChangedBlocks", call.lab.ec2.settings.listBlocksPerAccount);
  for (const snapshot of [first, second]) checkReadable(snapshot);
  if (first.lineage !== second.lineage) {
    throw validation(
      "UNRELATED_SNAPSHOTS",
      `The snapshots '${first.snapshotId}' and '${second.snapshotId}' are not of the same volume or lineage.`,
    );
  }
  const { snapshots } = call.lab.ec2.disks;
  const scope = `changed/${first.snapshotId}/${second.snapshotId}`;
  const page = openPage(call, input, { scope, snapshot: second });
  const changes = diffSnapshots(
    snapshots.index(first.snapshotId),
    snapshots.index(second.snapshotId),
    page.firstBlock,
  );
  const ChangedBlocks: object[] = [];
  let next: number | undefined;
  for (const { block, inFirst, inSecond } of changes) {
    if (ChangedBlocks.length === page.limit) {
      next = block;
      break;
    }
    ChangedBlocks.push({
      BlockIndex: block,
      FirstBlockToken: inFirst ? page.tokenFor(first.snapshotId, block) : undefined,
      SecondBlockToken: inSecond ? page.tokenFor(second.snapshotId, block) : undefined,
    });
  }
  return { ...page.common, ChangedBlocks, NextToken: page.tokenAt(next) };
}

interface PageRequest {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
  readonly StartingBlockIndex?: number | undefined;
}

interface BlockPage {
  readonly firstBlock: number;
  /** 0 now and then: a page may be empty though more follow. */
  readonly limit: number;
  readonly common: { readonly ExpiryTime: Date; readonly VolumeSize: number; readonly BlockSize: number };
  tokenFor(snapshotId: string, block: number): string;
  tokenAt(block: number | undefined): string | undefined;
}

function openPage(
  call: Call,
  input: PageRequest,
  listing: { readonly scope: string; readonly snapshot: SnapshotRecord },
): BlockPage {
  const { lab } = call;
  const { settings } = lab.ec2;
  const { MaxResults: limit = largestPage, NextToken: token, StartingBlockIndex: start = 0 } = input;
  if (limit < smallestPage || limit > largestPage) {
    throw validation(undefined, `MaxResults must be between ${smallestPage} and ${largestPage}.`);
  }
  const count = blockCount(listing.snapshot.sizeGiB * GiB);
  if (token === undefined && (start < 0 || start >= count)) {
    throw validation("INVALID_PARAMETER_VALUE", `StartingBlockIndex must be between 0 and ${count - 1}.`);
  }
  const firstBlock = token === undefined ? start : readPageToken(lab, token, listing.scope);
  // Never twice in a row, nor where one page holds all: the aws command doesn't follow tokens here by itself.
  const mayBeEmpty = token === undefined && count > limit;
  const empty = mayBeEmpty && randomFraction(lab.random) < settings.emptyPageShare;
  const expiresAtMs = lab.clock.now() + settings.blockTokenMs;
  const makeToken = blockTokenMaker(lab, expiresAtMs);
  return {
    firstBlock,
    limit: empty ? 0 : limit,
    common: {
      ExpiryTime: new Date(expiresAtMs),
      VolumeSize: listing.snapshot.sizeGiB,
      BlockSize: blockBytes,
    },
    tokenFor: (snapshotId, block) => makeToken({ snapshotId, block }),
    tokenAt: (block) =>
      block === undefined ? undefined : newPageToken(lab, { scope: listing.scope, nextBlock: block }),
  };
}

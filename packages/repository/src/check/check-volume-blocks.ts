import { mapConcurrent } from "@garrison/core/map-concurrent";
import { blockSizeBytes } from "../disk/block-source.ts";
import type { CheckedVolume, DomainCheck, Finding } from "./check-plan.ts";
import { planRanges, type ChunkRange, type WantedChunk } from "../restore/chunk-ranges.ts";
import { openChunkReader, rangeName, type ChunkReader } from "../restore/chunk-reader.ts";
import { interiorBlocks, interiorEntries, leafEntries } from "../format/format-limits.ts";
import type { Leaf } from "../format/leaf-page.ts";
import { packName, type PackKind } from "../format/object-names.ts";
import { PackTable } from "../format/pack-table.ts";
import { isSameAddress, type ItemAddress, type PageReference } from "../format/page-reference.ts";
import type { StoreCall } from "../store/object-store.ts";
import { tryReading } from "./try-reading.ts";

/** A volume with the one checked before it: what both refer to was looked at then. */
export interface VolumeCheck {
  readonly checked: CheckedVolume;
  readonly before: CheckedVolume | undefined;
}

const groupBlocks = 32;
const rangesAtOnce = 4;

/**
 * Walks all pages of a volume, opens every block that the point before did not hold at the same place, and counts the
 * pack table again.
 */
export async function* checkVolumeBlocks(
  check: DomainCheck,
  volume: VolumeCheck,
  call: StoreCall,
): AsyncGenerator<Finding> {
  const sessionKeys = (session: string, epoch: number) =>
    check.repository.sessionDataKey(check.plan.domain, session, epoch);
  const chunks = openChunkReader({ ...check, sessionKeys });
  const recount = new PackTable();
  let isWhole = true;
  for (const [slot, reference] of volume.checked.reader.volume.root.entries()) {
    if (reference === undefined) continue;
    count(recount, "map", reference);
    isWhole =
      (yield* checkInterior({ check, volume, chunks, recount }, { slot, reference }, call)) && isWhole;
  }
  if (isWhole) yield* compareTables(volume, recount, check);
}

interface Walk {
  readonly check: DomainCheck;
  readonly volume: VolumeCheck;
  readonly chunks: ChunkReader;
  readonly recount: PackTable;
}

function aboutPage(walk: Walk, reference: PageReference, range: { firstBlock: number; blocks: number }) {
  const { record, reader } = walk.volume.checked;
  return {
    key: packName(walk.check.keys.domain, "map", nameOf(reference)),
    point: record.session,
    volumeId: reader.volume.volumeId,
    range: { offset: range.firstBlock * blockSizeBytes, length: range.blocks * blockSizeBytes },
  };
}

/** Whether all pages below could be read. */
async function* checkInterior(
  walk: Walk,
  at: { readonly slot: number; readonly reference: PageReference },
  call: StoreCall,
): AsyncGenerator<Finding, boolean> {
  const { reader } = walk.volume.checked;
  const about = aboutPage(walk, at.reference, {
    firstBlock: at.slot * interiorBlocks,
    blocks: interiorBlocks,
  });
  const page = yield* tryReading(about, () => reader.interior(at.slot));
  if (page === undefined) return false;
  let isWhole = true;
  for (const [child, reference] of page.entries()) {
    if (reference === undefined) continue;
    const number = at.slot * interiorEntries + child;
    count(walk.recount, "map", reference);
    const aboutLeaf = aboutPage(walk, reference, { firstBlock: number * leafEntries, blocks: leafEntries });
    const leaf = yield* tryReading(aboutLeaf, () => reader.leaf(number));
    isWhole = leaf !== undefined && isWhole;
    if (leaf !== undefined) yield* checkLeaf(walk, { number, leaf }, call);
  }
  return isWhole;
}

async function* checkLeaf(
  walk: Walk,
  at: { readonly number: number; readonly leaf: Leaf },
  call: StoreCall,
): AsyncGenerator<Finding> {
  // A damaged page of the point before was reported with that point; here it only saves no work.
  const known = await walk.volume.before?.reader.leaf(at.number).catch(() => undefined);
  const wanted: WantedChunk[] = [];
  for (const [slot, address] of at.leaf.entries()) {
    if (address === undefined) continue;
    count(walk.recount, "pack", address);
    if (!isSameAddress(address, known?.[slot]))
      wanted.push({ block: at.number * leafEntries + slot, address });
  }
  for (let start = 0; start < wanted.length; start += groupBlocks) {
    const ranges = planRanges(wanted.slice(start, start + groupBlocks));
    const options = { concurrency: rangesAtOnce, signal: call.signal };
    const results = mapConcurrent(ranges, options, (range) => checkRange(walk, range, call));
    for await (const findings of results) yield* findings;
  }
}

async function checkRange(walk: Walk, range: ChunkRange, call: StoreCall): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const key = rangeName(walk.check.keys, range);
  const reading = await tryReading({ key }, () => walk.chunks.fetch(range, call)).next();
  if (reading.done !== true) {
    // One by one, so that only what is really gone is named.
    if (range.chunks.length > 1) return checkSingly(walk, range, call);
    return range.chunks.map((chunk) => ({ ...reading.value, ...aboutBlock(walk, chunk.block) }));
  }
  for (const { block, address } of range.chunks) {
    const damage = await walk.chunks.verify({ range, bytes: reading.value!, address }, call);
    if (damage === undefined) continue;
    const message = `the block at byte ${address.offset} of the pack is damaged (${damage})`;
    findings.push({ severity: "damage", code: "chunk-damaged", key, message, ...aboutBlock(walk, block) });
  }
  return findings;
}

async function checkSingly(walk: Walk, range: ChunkRange, call: StoreCall): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const chunk of range.chunks) {
    const { offset, length } = chunk.address;
    findings.push(...(await checkRange(walk, { ...range, offset, length, chunks: [chunk] }, call)));
  }
  return findings;
}

function aboutBlock(walk: Walk, block: number) {
  const { record, reader } = walk.volume.checked;
  return {
    point: record.session,
    volumeId: reader.volume.volumeId,
    range: { offset: block * blockSizeBytes, length: blockSizeBytes },
  };
}

function nameOf(address: ItemAddress) {
  return { session: address.session, lane: address.lane, number: address.pack };
}

function count(table: PackTable, kind: PackKind, address: ItemAddress): void {
  table.addReference(kind, nameOf(address), 1);
}

/** A table that does not count what the pages hold would make a prune delete what is needed. */
async function* compareTables(
  volume: VolumeCheck,
  recount: PackTable,
  check: DomainCheck,
): AsyncGenerator<Finding> {
  const { record, reader } = volume.checked;
  const table = await reader.table().catch(() => undefined);
  if (table === undefined) return; // reported with the packs
  const uses = (["pack", "map"] as const).flatMap((kind) => [...table.uses(kind), ...recount.uses(kind)]);
  const reported = new Set<string>();
  for (const use of uses) {
    const key = packName(check.keys.domain, use.kind, use);
    const noted = table.find(use.kind, use)?.references ?? 0;
    const counted = recount.find(use.kind, use)?.references ?? 0;
    if (noted === counted || reported.has(key)) continue;
    reported.add(key);
    const message = `the pack table counts ${noted} references, the pages hold ${counted}`;
    const about = { point: record.session, volumeId: reader.volume.volumeId };
    yield { severity: "damage", code: "table-wrong", key, message, ...about };
  }
}

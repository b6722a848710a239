import { GarrisonError } from "@garrison/core/garrison-error";
import { packName } from "../format/object-names.ts";
import { PackTable } from "../format/pack-table.ts";
import { isSameAddress, type ChunkAddress, type ItemAddress } from "../format/page-reference.ts";
import { leafEntries } from "../format/format-limits.ts";
import type { Interior } from "../format/interior-page.ts";
import type { Leaf } from "../format/leaf-page.ts";
import type { PackKind } from "../format/object-names.ts";
import { readSlot, type SlotAddress } from "../point/read-slot.ts";
import { isDamage } from "../point/is-damage.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import { walkChanges, type ChangedPage } from "../point/walk-changes.ts";
import { packOf } from "../repair/lost-items.ts";
import { openChunkReader, type ChunkReader } from "../restore/chunk-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import { checkChunks } from "./check-chunks.ts";
import type { DomainCheck, Finding } from "./check-plan.ts";
import { OpenedChunks } from "./opened-chunks.ts";
import { checkHooks } from "./check-table.ts";
import { nameOfPack } from "./compare-listing.ts";

export interface ContentsCheck {
  /** By series, oldest first. */
  readonly points: readonly SlotAddress[];
  /** Which blocks are opened; pages always are. */
  readonly opens: (address: ChunkAddress) => boolean;
}

interface VolumeState {
  readonly reader: VolumeReader;
  /** References as counted from the pages up to this point; the noted ones where pages could not be read. */
  readonly count: PackTable;
}

/**
 * Reads the pages of each point, opens the blocks that the point before did not hold at the same place, and counts each
 * pack table again: what successive points share is looked at once. Damage to packs goes to the damage list.
 */
export async function* checkContents(
  check: DomainCheck,
  wanted: ContentsCheck,
  call: StoreCall,
): AsyncGenerator<Finding> {
  const sessionKeys = (session: string, epoch: number) =>
    check.repository.sessionDataKey(check.plan.domain, session, epoch);
  const chunks = openChunkReader({ ...check, sessionKeys });
  const opened = new OpenedChunks();
  let states = new Map<string, VolumeState>();
  let series = "";
  for (const slot of wanted.points) {
    if (slot.series !== series) states = new Map();
    ({ series } = slot);
    for (const volume of await volumesOf(check, slot, call)) {
      const reader = openVolumeReader(check, { series, volume }, call);
      const before = states.get(volume.volumeId);
      const walk = { check, slot, reader, before, chunks, opened, opens: wanted.opens };
      states.set(volume.volumeId, yield* checkVolume(walk, call));
    }
  }
}

/** A record that can't be read was told when the points were scanned. */
async function volumesOf(check: DomainCheck, slot: SlotAddress, call: StoreCall) {
  try {
    const content = await readSlot(check, slot, call);
    return content?.state === "point" ? content.record.volumes : [];
  } catch (error) {
    if (isDamage(error)) return [];
    throw error;
  }
}

interface VolumeWalk {
  readonly check: DomainCheck;
  readonly slot: SlotAddress;
  readonly reader: VolumeReader;
  readonly before: VolumeState | undefined;
  readonly chunks: ChunkReader;
  readonly opens: (address: ChunkAddress) => boolean;
  /** Of streams, across all points. */
  readonly opened: OpenedChunks;
}

async function* checkVolume(walk: VolumeWalk, call: StoreCall): AsyncGenerator<Finding, VolumeState> {
  const { check, reader, before } = walk;
  const count = before?.count ?? new PackTable();
  let isWhole = true;
  const changes = { reader, before: before?.reader, knownLoss: knownLossOf(check) };
  for await (const page of walkChanges(changes, call)) {
    isWhole = (await checkPage(walk, { page, count }, call)) && isWhole;
  }
  yield* checkHooks(check, walk, call);
  const table = await reader.table().catch(ignoreDamage); // reported when the points were scanned
  if (isWhole && table !== undefined) yield* compareTables(walk, { table, count });
  return { reader, count: isWhole ? count : (table ?? new PackTable()) };
}

/** Pages that are lost are not asked for again. */
export function knownLossOf(check: DomainCheck): (reference: ItemAddress) => GarrisonError | undefined {
  return (reference) => {
    if (!check.damage.lost.has("map", reference)) return undefined;
    const name = nameOfPack(check, packOf("map", reference));
    return new GarrisonError("page-damaged", `the page at byte ${reference.offset} of ${name} is lost`);
  };
}

function ignoreDamage(error: unknown): undefined {
  if (!isDamage(error)) throw error;
}

/** Whether its references could be counted. */
async function checkPage(
  walk: VolumeWalk,
  changed: { readonly page: ChangedPage; readonly count: PackTable },
  call: StoreCall,
): Promise<boolean> {
  const { check, before } = walk;
  const { page, count } = changed;
  const { reference, failure } = page;
  if (failure !== undefined && reference !== undefined) {
    const damage = { pack: packOf("map", reference), code: failure.code, message: failure.message };
    check.damage.addItem(damage, reference.offset);
    return false;
  }
  let isCounted = recount(count, "map", { before: page.before, after: reference });
  const { before: older } = page;
  const known = older === undefined ? undefined : await readKnown(before!.reader, page);
  isCounted = isCounted && (older === undefined || known !== undefined);
  if (page.level === 1) return isCounted;
  const added: ChunkAddress[] = [];
  for (const { before: was, after } of changedEntries(known as Leaf | undefined, page.leaf)) {
    isCounted = recount(count, "pack", { before: was, after }) && isCounted;
    if (after !== undefined) added.push(after);
  }
  const addresses = added.filter(walk.opens).filter((address) => isUnseen(walk, address));
  await checkChunks(check, { chunks: walk.chunks, addresses }, call);
  return isCounted;
}

function isUnseen({ reader, opened }: VolumeWalk, address: ChunkAddress): boolean {
  return reader.place.kind !== "stream" || opened.isNew(address);
}

function readKnown(
  reader: VolumeReader,
  { level, number }: ChangedPage,
): Promise<Leaf | Interior | undefined> {
  const page = level === 1 ? reader.interior(number) : reader.leaf(number);
  return page.catch(ignoreDamage);
}

interface ChangedEntry {
  readonly before: ChunkAddress | undefined;
  readonly after: ChunkAddress | undefined;
}

function* changedEntries(known: Leaf | undefined, leaf: Leaf | undefined): Generator<ChangedEntry> {
  for (let slot = 0; slot < leafEntries; slot++) {
    const [before, after] = [known?.[slot], leaf?.[slot]];
    if (!isSameAddress(before, after)) yield { before, after };
  }
}

/** False when the count does not hold what should be taken from it: it began with a table that is wrong. */
function recount(
  count: PackTable,
  kind: PackKind,
  change: { readonly before: ItemAddress | undefined; readonly after: ItemAddress | undefined },
): boolean {
  const { before, after } = change;
  if (after !== undefined) count.addReference(kind, packOf(kind, after), 1);
  if (before === undefined) return true;
  if ((count.find(kind, packOf(kind, before))?.references ?? 0) === 0) return false;
  count.addReference(kind, packOf(kind, before), -1);
  return true;
}

/** A table that does not count what the pages hold would make a prune delete what is needed. */
function* compareTables(
  walk: VolumeWalk,
  tables: { readonly table: PackTable; readonly count: PackTable },
): Generator<Finding> {
  const { check, slot, reader } = walk;
  const { table, count } = tables;
  const uses = (["pack", "map"] as const).flatMap((kind) => [...table.uses(kind), ...count.uses(kind)]);
  const reported = new Set<string>();
  for (const use of uses) {
    const key = packName(check.keys.domain, use.kind, use);
    const noted = table.find(use.kind, use)?.references ?? 0;
    const counted = count.find(use.kind, use)?.references ?? 0;
    if (noted === counted || reported.has(key)) continue;
    reported.add(key);
    const message = `the pack table counts ${noted} references, the pages hold ${counted}`;
    const about = { point: slot.session, volumeId: reader.volume.volumeId };
    yield { severity: "damage", code: "table-wrong", key, message, ...about };
  }
}

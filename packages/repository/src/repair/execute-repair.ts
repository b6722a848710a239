import { mapConcurrent } from "@garrison/core/map-concurrent";
import { openBlockCrew, type BlockCrew } from "../blocks/block-crew.ts";
import { findForwarded } from "../format/forward.ts";
import { packName } from "../format/object-names.ts";
import { plainBytesOf, type ChunkAddress } from "../format/page-reference.ts";
import { commitMoves, openKeeperSession, storeForward } from "../keeper/keeper-session.ts";
import type { Keeper } from "../keeper/notes.ts";
import type { Repository } from "../keys/open-repository.ts";
import { readForward } from "../point/forward-reader.ts";
import { isDamage } from "../point/is-damage.ts";
import { readSlot, readTombstone, type SlotAddress } from "../point/read-slot.ts";
import { verifyChunk } from "../restore/verify-chunk.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { FoundCopy } from "./find-copies.ts";
import { loadKnownLosses, noteLosses } from "./findings-note.ts";
import { packOf } from "./lost-items.ts";
import { planRepair, type PlannedForward, type RepairPlan } from "./plan-repair.ts";

export interface RepairSummary {
  /** Items that can be read again under their old addresses. */
  readonly itemsHealed: number;
  /** Items whose copy turned out to be damaged itself, or may end: another repair may find another one. */
  readonly itemsRefused: number;
  /** What is lost now. */
  readonly after: RepairPlan;
}

export type RepairingKeeper = Keeper & { readonly repository: Repository };

const copiesAtOnce = 4;

/**
 * Writes the forwards of a plan, each after its copies have been opened. A session of the keeper's own holds the points
 * that have the copies until that is done; afterwards the forwards do. Safe to repeat and to interrupt at any call: a
 * forward is good by itself, and what is healed is not planned again. At the end it is noted what is still lost.
 */
export async function executeRepair(
  keeper: RepairingKeeper,
  plan: RepairPlan,
  call: StoreCall,
): Promise<RepairSummary> {
  let [itemsHealed, itemsRefused] = [0, 0];
  if (plan.forwards.length > 0) {
    const owners = ownersOf(plan);
    const session = await openKeeperSession(keeper, { bases: owners }, call);
    const held = await shakeHands(keeper, owners, call);
    const crew = openBlockCrew(keeper.keys.idKey, { threads: 0 });
    for (const forward of plan.forwards) {
      const sound = await soundCopies({ keeper, crew, held }, forward.copies, call);
      const healed = await writeForward(keeper, { forward, sound }, call);
      itemsHealed += healed;
      itemsRefused += forward.items.length - healed;
    }
    await commitMoves(keeper, { session, packs: [] }, call);
  }
  const after = await planRepair(keeper, call);
  await noteRemaining(keeper, after, call);
  return { itemsHealed, itemsRefused, after };
}

function ownersOf(plan: RepairPlan): readonly SlotAddress[] {
  const owners = new Map<string, SlotAddress>();
  for (const { owner } of plan.forwards.flatMap((forward) => forward.copies)) {
    owners.set(ownerKey(owner), owner);
  }
  return [...owners.values()];
}

function ownerKey({ series, session }: SlotAddress): string {
  return `${series}/${session}`;
}

/** Points that are there after our session was opened stay at least as long as it: their copies can't vanish. */
async function shakeHands(
  keeper: RepairingKeeper,
  owners: readonly SlotAddress[],
  call: StoreCall,
): Promise<ReadonlySet<string>> {
  const held = new Set<string>();
  for (const owner of owners) {
    if ((await readTombstone(keeper, owner, call)) !== "none") continue;
    if ((await readSlot(keeper, owner, call))?.state === "point") held.add(ownerKey(owner));
  }
  return held;
}

interface CopyCheck {
  readonly keeper: RepairingKeeper;
  readonly crew: BlockCrew;
  readonly held: ReadonlySet<string>;
}

/** Pages were opened when they were found; blocks are opened here, where the forward will look for them. */
async function soundCopies(
  check: CopyCheck,
  copies: readonly FoundCopy[],
  call: StoreCall,
): Promise<ReadonlySet<FoundCopy>> {
  const sound = new Set<FoundCopy>();
  const options = { concurrency: copiesAtOnce, signal: call.signal };
  const open = async (copy: FoundCopy) => ({
    copy,
    isSound: check.held.has(ownerKey(copy.owner)) && (await opens(check, copy, call)),
  });
  for await (const { copy, isSound } of mapConcurrent(copies, options, open)) if (isSound) sound.add(copy);
  return sound;
}

async function opens(check: CopyCheck, found: FoundCopy, call: StoreCall): Promise<boolean> {
  if (found.kind === "map") return true;
  const { keys, store, repository } = check.keeper;
  const copy = found.copy as ChunkAddress;
  const { id, codec, offset, length } = copy;
  const sealedIn = packOf("pack", found.copy);
  try {
    const name = packName(keys.domain, "pack", sealedIn);
    const stored = await store.read(name, { ...call, range: { offset, length } });
    const chunk = { stored, sealedIn, id, codec, plainBytes: plainBytesOf(copy) };
    return (await verifyChunk({ keys, repository, crew: check.crew }, chunk)) === undefined;
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
}

/** How many items the forward leads to now. One of the same name may be there: an earlier try, or an earlier repair. */
async function writeForward(
  keeper: RepairingKeeper,
  wanted: { readonly forward: PlannedForward; readonly sound: ReadonlySet<FoundCopy> },
  call: StoreCall,
): Promise<number> {
  const { forward, sound } = wanted;
  const { kind, origin, target } = forward;
  const items = forward.items.filter((_, index) => sound.has(forward.copies[index]!));
  if (items.length === 0) return 0;
  if ((await storeForward(keeper, { kind, origin, target, items }, call)) === "created") return items.length;
  const stored = await readForward(keeper, { kind, origin, target }, call);
  if (stored === undefined) return 0;
  return items.filter((item) => findForwarded(stored, item) !== undefined).length;
}

async function noteRemaining(keeper: RepairingKeeper, after: RepairPlan, call: StoreCall): Promise<void> {
  const before = await loadKnownLosses(keeper, call);
  // Lost tables and hooks are not a repair's to mend: they stay noted.
  const tables = before.volumes.filter((volume) => volume.blocks === 0);
  const volumes = after.volumes.map(({ series, point, volumeId, blocks }) => ({
    series,
    point,
    volumeId,
    blocks,
  }));
  // What has been healed stays noted, too: whether it can still be read is looked at again by each check.
  await noteLosses(keeper, { before, now: { lost: after.lost, volumes: [...volumes, ...tables] } }, call);
}

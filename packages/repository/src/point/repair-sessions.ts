import {
  forwardPrefix,
  packName,
  parseForwardName,
  parseSlotName,
  pointPrefix,
} from "../format/object-names.ts";
import { checkHeader, packHeaderBytes, type PackAddress } from "../format/pack-container.ts";
import type { PackTable } from "../format/pack-table.ts";
import { movesSeriesHash } from "../keeper/keeper-session.ts";
import type { DomainKeys, SessionEpoch } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { isDamage } from "./is-damage.ts";

/**
 * The sessions whose keys open what a repair leads to in place of lost blocks. Moves keep the keys of the packs that
 * addresses name, so that they add none. One listing where nothing was ever moved or repaired.
 */
export async function repairSessions(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  tables: readonly PackTable[],
  call: StoreCall,
): Promise<readonly SessionEpoch[]> {
  const targets = new Map<string, PackAddress>();
  const { keys, store } = dependencies;
  for await (const object of store.list(forwardPrefix(keys.domain, "pack"), call)) {
    const name = parseForwardName(object.key);
    if (name === undefined || targets.has(name.target.session)) continue;
    const isNeeded = tables.some((table) => (table.find("pack", name.origin)?.references ?? 0) > 0);
    if (isNeeded) targets.set(name.target.session, { kind: "pack", ...name.target });
  }
  if (targets.size > 0) await dropMoves(dependencies, targets, call);
  const sessions: SessionEpoch[] = [];
  for (const [sessionId, pack] of targets) {
    const epoch = await readEpoch(dependencies, pack, call);
    if (epoch !== undefined) sessions.push({ sessionId, epoch });
  }
  return sessions;
}

async function dropMoves(
  { keys, store }: { readonly store: ObjectStore; readonly keys: DomainKeys },
  targets: Map<string, PackAddress>,
  call: StoreCall,
): Promise<void> {
  for await (const object of store.list(pointPrefix(keys.domain, movesSeriesHash(keys)), call)) {
    const session = parseSlotName(object.key)?.session;
    if (session !== undefined) targets.delete(session);
  }
}

/** A pack says in its header in which epoch its session sealed. Nothing: it is gone. */
async function readEpoch(
  { keys, store }: { readonly store: ObjectStore; readonly keys: DomainKeys },
  pack: PackAddress,
  call: StoreCall,
): Promise<number | undefined> {
  const name = packName(keys.domain, pack.kind, pack);
  try {
    const header = await store.read(name, { ...call, range: { offset: 0, length: packHeaderBytes } });
    return keys.epochs.find(({ epoch }) => beginsLike({ ...pack, epoch }, header, name))?.epoch;
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

function beginsLike(...[pack, header, name]: Parameters<typeof checkHeader>): boolean {
  try {
    checkHeader(pack, header, name);
    return true;
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
}

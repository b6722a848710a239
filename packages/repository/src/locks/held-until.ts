import type { Clock } from "@garrison/core/clock";
import { packPrefix, type PackKind } from "../format/object-names.ts";
import type { KeeperDependencies } from "../keeper/sign-object.ts";
import type { ObjectVersions, StoreCall } from "../store/object-store.ts";
import { loadLockLedger, type LockEntry } from "./lock-ledger.ts";
import { noteLocks } from "./lock-ledger.ts";

const kinds: readonly PackKind[] = ["pack", "map"];

/**
 * Until when locks hold what bears a session's name, for a prune that need not try what the store would refuse. Sessions
 * that the ledger doesn't know are judged by one of their packs, and noted. It is an estimate to save calls: what is locked
 * for longer is refused by the store, and what is free earlier goes with a later pass.
 */
export async function loadHeldUntil(
  keeper: KeeperDependencies & { readonly clock: Clock },
  call: StoreCall,
): Promise<(session: string) => number | undefined> {
  const { versions } = keeper.store;
  if (versions?.lockMode === undefined) return () => undefined;
  const { sessions: known, notes } = await loadLockLedger(keeper, call);
  const sessions = new Map<string, LockEntry>();
  let isNew = false;
  for await (const session of listSessions({ ...keeper, versions }, call)) {
    const entry = known.get(session);
    isNew ||= entry === undefined;
    sessions.set(session, entry ?? { latestMs: await sampleLock({ ...keeper, versions }, session, call) });
  }
  if (isNew) await noteLocks(keeper, { sessions, notes }, call);
  return (session) => sessions.get(session)?.latestMs;
}

type Owner = KeeperDependencies & { readonly versions: ObjectVersions };

/** Sessions that have packs or map packs, hidden ones too. */
async function* listSessions(owner: Owner, call: StoreCall): AsyncGenerator<string> {
  const seen = new Set<string>();
  for (const kind of kinds) {
    for await (const folder of owner.versions.listFolders(`${owner.keys.domain}/${kind}/`, call)) {
      const session = folder.split("/").at(-2)!;
      if (!seen.has(session)) yield session;
      seen.add(session);
    }
  }
}

async function sampleLock(owner: Owner, session: string, call: StoreCall): Promise<number> {
  for (const kind of kinds) {
    for await (const version of owner.versions.list(packPrefix(owner.keys.domain, kind, session), call)) {
      if (version.isDeleteMarker) continue;
      return (await owner.versions.readRetention(version, call))?.untilMs ?? 0;
    }
  }
  return 0;
}

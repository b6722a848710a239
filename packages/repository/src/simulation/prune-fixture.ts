import { silentLogger } from "@garrison/core/logger";
import { endPoint } from "../keeper/end-session.ts";
import { executePrune } from "../prune/execute-prune.ts";
import { planPrune } from "../prune/plan-prune.ts";
import type { PruneDependencies, PruneOptions, PrunePlan, PruneSummary } from "../prune/prune-plan.ts";
import { openMemoryObjectStore } from "../store/memory-object-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { call, fixtureDomain, type Fixture } from "./engine-fixture.ts";

/** The keeper of a fixture's domain. */
export function keeperOf(fixture: Fixture, store: ObjectStore = fixture.store): PruneDependencies {
  const controlPrivateKey = fixture.repository.controlPrivateKey(fixtureDomain);
  const { clock, random, keys } = fixture;
  return { store, clock, random, keys, controlPrivateKey, logger: silentLogger };
}

/** No grace, nothing too small to be moved: what a test wants unless it says otherwise. */
export const eager: PruneOptions = { graceMs: 0, minimumGainBytes: 1 };

export async function prune(
  fixture: Fixture,
  options: PruneOptions = eager,
  store: ObjectStore = fixture.store,
): Promise<PruneSummary & { readonly plan: PrunePlan }> {
  const pruner = keeperOf(fixture, store);
  const plan = await planPrune(pruner, options, call);
  return { ...(await executePrune(pruner, plan, call)), plan };
}

export async function end(fixture: Fixture, sessionId: string, series = "disk"): Promise<void> {
  await endPoint(keeperOf(fixture), { series, sessionId }, call);
}

/** Names without the domain, sorted, of objects under any of the folders; all of them, if none is given. */
export function namesOf(fixture: Fixture, ...folders: string[]): string[] {
  const names = [...fixture.objects.keys()].map((key) => key.replace(`${fixtureDomain}/`, ""));
  return names
    .filter((name) => folders.length === 0 || folders.some((folder) => name.startsWith(`${folder}/`)))
    .toSorted();
}

/** The same repository once more: what happens to one does not touch the other. */
export function forkFixture(fixture: Fixture): Fixture {
  const store = openMemoryObjectStore(fixture.clock, new Map(fixture.objects));
  return { ...fixture, store, objects: store.objects };
}

/** A store that lets something else happen before one of its calls; `calls` counts them. */
export function interruptedStore(
  store: ObjectStore,
  interruption: { readonly at: number; readonly run: () => Promise<void> },
): ObjectStore & { readonly calls: () => number } {
  let number = 0;
  const wait = async () => {
    if (++number === interruption.at) await interruption.run();
  };
  return {
    address: store.address,
    calls: () => number,
    create: async (...call) => {
      await wait();
      return store.create(...call);
    },
    read: async (...call) => {
      await wait();
      return store.read(...call);
    },
    delete: async (...call) => {
      await wait();
      return store.delete(...call);
    },
    async *list(...call) {
      await wait();
      yield* store.list(...call);
    },
    async *listFolders(...call) {
      await wait();
      yield* store.listFolders(...call);
    },
  };
}

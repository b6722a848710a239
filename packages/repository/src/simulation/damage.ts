import type { CheckPlan, Finding } from "../check/check-plan.ts";
import { checkRepository, type CheckSummary } from "../check/check-repository.ts";
import { silentLogger } from "@garrison/core/logger";
import type { MemoryObjects } from "../store/memory-object-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { call, fixtureDomain, type Fixture } from "./engine-fixture.ts";

/** Damage to the objects of a memory store, and checks of it, for tests. */
export function flipByte(objects: MemoryObjects, key: string, at: number): void {
  const object = objects.get(key)!;
  const bytes = new Uint8Array(object.bytes);
  bytes[at]! ^= 4;
  objects.set(key, { ...object, bytes });
}

export function cutObject(objects: MemoryObjects, key: string, lengthBytes: number): void {
  const object = objects.get(key)!;
  objects.set(key, { ...object, bytes: object.bytes.slice(0, lengthBytes) });
}

/** Names of objects of a kind (`pack`, `map`, `point`), of one session if wanted, in order. */
export function keysOf(fixture: Fixture, kind: string, session = ""): readonly string[] {
  const prefix = `${fixtureDomain}/${kind}/`;
  return [...fixture.objects.keys()].filter((key) => key.startsWith(prefix) && key.includes(session)).sort();
}

export interface CheckOutcome {
  readonly findings: readonly Finding[];
  readonly summary: CheckSummary;
}

export async function runCheck(
  fixture: Fixture,
  plan: Partial<CheckPlan> & { readonly store?: ObjectStore; readonly remembers?: boolean } = {},
): Promise<CheckOutcome> {
  const { store = fixture.store, remembers = false, ...rest } = plan;
  const memory = { clock: fixture.clock, random: fixture.random, logger: silentLogger };
  const dependencies = { store, repository: fixture.repository, ...(remembers ? { memory } : {}) };
  const findings: Finding[] = [];
  const checking = checkRepository(
    dependencies,
    { level: "full", domain: fixtureDomain, threads: 0, ...rest },
    call,
  );
  for (;;) {
    const next = await checking.next();
    if (next.done === true) return { findings, summary: next.value };
    findings.push(next.value);
  }
}

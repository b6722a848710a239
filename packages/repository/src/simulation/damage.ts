import type { CheckPlan, Finding } from "../check/check-plan.ts";
import { checkRepository, type CheckSummary } from "../check/check-repository.ts";
import { silentLogger } from "@garrison/core/logger";
import type { OpenBlockCrew } from "../blocks/block-crew.ts";
import { ByteWriter } from "../format/byte-writer.ts";
import { forwardName, parsePackName } from "../format/object-names.ts";
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

/** What a stranger could put where a forward of this pack would lie: rubbish that claims a key epoch that there isn't. */
export function strangersForward(key: string): readonly [name: string, bytes: Uint8Array] {
  const origin = parsePackName(key)!;
  const target = { session: "f".repeat(16), lane: "f".repeat(8), number: 0 };
  const name = forwardName(fixtureDomain, { kind: origin.kind, origin, target });
  const header = new ByteWriter(48).hex("4752534e").u8(1).u8(10).u16(9).bytes(new Uint8Array(40));
  return [name, header.finish()];
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
  plan: Partial<CheckPlan> & {
    readonly store?: ObjectStore;
    readonly remembers?: boolean;
    readonly openCrew?: OpenBlockCrew;
  } = {},
): Promise<CheckOutcome> {
  const { store = fixture.store, remembers = false, openCrew, ...rest } = plan;
  const memory = { clock: fixture.clock, random: fixture.random, logger: silentLogger };
  const dependencies = {
    store,
    repository: fixture.repository,
    ...(remembers ? { memory } : {}),
    ...(openCrew === undefined ? {} : { openCrew }),
  };
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

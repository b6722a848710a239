import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { seededRandom, type Random } from "@garrison/core/random";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { initRepository } from "../keys/init-repository.ts";
import { openKeyring, type Keyring } from "../keys/open-keyring.ts";
import { openRepository, type Repository } from "../keys/open-repository.ts";
import type { RepositorySecret } from "../keys/repository-secret.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";
import { openMemoryObjectStore, type MemoryObjects } from "../store/memory-object-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { call } from "./engine-fixture.ts";

/** A repository in memory with nothing in it but its keys, for tests of what is done with them. */
export interface KeysFixture {
  readonly store: ObjectStore;
  readonly objects: MemoryObjects;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly repository: Repository;
}

export async function openKeysFixture(
  seed: string,
  secrets: readonly RepositorySecret[],
): Promise<KeysFixture> {
  const clock = new VirtualClock();
  const random = seededRandom(seed);
  const store = openMemoryObjectStore(clock);
  const repository = await initRepository({ store, clock, random }, secrets, call);
  return { store, objects: store.objects, clock, random, repository };
}

/** The keyring with everything that these secrets open. */
export function keyringOf(
  { store }: Pick<KeysFixture, "store">,
  ...secrets: readonly RepositorySecret[]
): Promise<Keyring> {
  return openKeyring({ store }, { secrets, every: true }, call);
}

/** The code of the error that opening ends with, or nothing when the repository opens. */
export async function refusalOf(
  { store }: Pick<KeysFixture, "store">,
  secret: RepositorySecret,
): Promise<string | undefined> {
  try {
    await openRepository({ store }, secret, call);
    return undefined;
  } catch (error) {
    if (isGarrisonError(error)) return error.code;
    throw error;
  }
}

const death = new GarrisonError("aborted", "the program was killed");

/**
 * Runs `operate` over and over, each time on a fresh copy of the repository, and kills it at its first, second, ... call
 * to the store, once before and once after the call's effect, until it comes to its end. After each death `look` sees
 * what is left. Answers how many deaths there were.
 */
export async function killAtEachCall<Result>(
  open: () => Promise<KeysFixture>,
  operate: (fixture: KeysFixture) => Promise<Result>,
  look: (fixture: KeysFixture, result: Result | undefined) => Promise<void>,
): Promise<number> {
  let deaths = 0;
  for (let deathAt = 1; ; deathAt++) {
    for (const when of ["before", "after"] as const) {
      const fixture = await open();
      let isDead = false;
      const store = openFaultyObjectStore(fixture.store, ({ number }) => {
        if (number < deathAt) return undefined;
        const fault = { when: isDead ? "before" : when, error: death } as const;
        isDead = true;
        return fault;
      });
      const result = await operate({ ...fixture, store }).catch((error: unknown) => {
        if (error !== death) throw error;
        return undefined;
      });
      if (isDead) deaths++;
      await look(fixture, result);
      if (!isDead) return deaths;
    }
  }
}

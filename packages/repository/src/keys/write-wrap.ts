import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { encodeWrap, wrapName } from "../format/key-wrap.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import type { RepositorySecret } from "./repository-secret.ts";
import { stretchAnew } from "./stretch-secret.ts";

export interface KeyDependencies {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
}

export interface NewSecret {
  readonly secret: RepositorySecret;
  /** What people call it; shown in listings, where it lies open. */
  readonly label?: string;
}

interface WrittenWrap {
  readonly wrapId: string;
  readonly bytes: Uint8Array;
}

const maxLabelCharacters = 100;

/** Stores all master keys under a secret, in a wrap of its own, and looks whether it is there. */
export async function writeWrap(
  dependencies: KeyDependencies,
  wanted: NewSecret & { readonly repositoryId: string; readonly masterKeys: readonly Uint8Array[] },
  call: StoreCall,
): Promise<WrittenWrap> {
  const { store, clock, random } = dependencies;
  const { repositoryId, masterKeys, secret, label = "" } = wanted;
  requireLabel(label);
  const stretched = await stretchAnew({ random, repositoryId }, secret, call);
  for (;;) {
    const wrapId = Buffer.from(random.bytes(8)).toString("hex");
    const about = { ...stretched, masterKeys, madeAtMs: clock.now(), label };
    const bytes = encodeWrap({ repositoryId, wrapId }, about);
    await store.create(wrapName(wrapId), bytes, call);
    // Also tells a lost answer from a name that is taken.
    if (Buffer.compare(await store.read(wrapName(wrapId), call), bytes) === 0) return { wrapId, bytes };
  }
}

function requireLabel(label: string): void {
  if (label.length <= maxLabelCharacters && !/\p{Cc}/u.test(label)) return;
  throw new GarrisonError("usage", `a label has at most ${maxLabelCharacters} characters, all printable`);
}

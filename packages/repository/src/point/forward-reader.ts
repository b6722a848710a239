import { isGarrisonError } from "@garrison/core/garrison-error";
import { isObjectError } from "../store/is-object-error.ts";
import { decodeForward, type Forward } from "../format/forward.ts";
import {
  forwardName,
  forwardPrefix,
  packName,
  parseForwardName,
  type ForwardName,
  type PackKind,
  type PackName,
} from "../format/object-names.ts";
import { decodeObject, readSignedBody } from "../format/sealed-object.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { keepRecent } from "./keep-recent.ts";

export interface ForwardDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
}

/** Finds items whose pack has been moved, or whose bytes were lost and stored again. Its caches are bounded. */
export interface ForwardReader {
  /**
   * Asks the forwards of a pack one after the other, the greatest name first, until `read` answers something. `read` may
   * throw `object-missing` or `object-truncated` for a target that is not there any more: the next one is asked. The
   * session's forwards are listed once, and once more before nothing is answered.
   */
  follow<Result>(
    pack: PackName & { readonly kind: PackKind },
    read: (forward: Forward, target: string) => Promise<Result | undefined>,
    call: StoreCall,
  ): Promise<Result | undefined>;
}

/** The targets of a session's packs, the greatest name last. */
type SessionForwards = ReadonlyMap<string, readonly ForwardName[]>;

const keptSessions = 32;
const keptForwards = 128;

export function openForwardReader(dependencies: ForwardDependencies): ForwardReader {
  const sessions = keepRecent<SessionForwards>(keptSessions);
  const forwards = keepRecent<Forward | undefined>(keptForwards);
  return {
    async follow(pack, read, call) {
      const prefix = forwardPrefix(dependencies.keys.domain, pack.kind, pack.session);
      const list = () => sessions.get(prefix, () => listSession(dependencies, prefix, call));
      const first = list();
      let outdated: unknown;
      for (const listing of [() => first, list]) {
        const listed = await listing();
        for (const name of (listed.get(packOf(pack)) ?? []).toReversed()) {
          const key = forwardName(dependencies.keys.domain, name);
          const forward = await forwards
            .get(key, () => openForward(dependencies, name, call))
            .catch((error: unknown) => {
              // Of a newer epoch, or somebody's rubbish: others may do.
              if (!isGarrisonError(error, "keys-outdated")) throw error;
              outdated = error;
            });
          const target = packName(dependencies.keys.domain, name.kind, name.target);
          const found = forward ? await unlessGone(() => read(forward, target)) : undefined;
          if (found !== undefined) return found;
        }
        sessions.forget(prefix, first);
      }
      if (outdated !== undefined) throw outdated;
      return undefined;
    },
  };
}

function packOf(name: PackName): string {
  return `${name.lane}-${name.number}`;
}

async function listSession(
  dependencies: ForwardDependencies,
  prefix: string,
  call: StoreCall,
): Promise<SessionForwards> {
  const found = new Map<string, ForwardName[]>();
  for await (const object of dependencies.store.list(prefix, call)) {
    const name = parseForwardName(object.key);
    if (name === undefined) continue;
    const known = found.get(packOf(name.origin));
    if (known === undefined) found.set(packOf(name.origin), [name]);
    else known.push(name);
  }
  return found;
}

/**
 * A forward that the keeper signed. One that is gone, damaged or somebody else's leads nowhere; so does one that says it is
 * of a newer epoch than the keys at hand.
 */
export async function readForward(
  dependencies: ForwardDependencies,
  name: ForwardName,
  call: StoreCall,
): Promise<Forward | undefined> {
  try {
    return await openForward(dependencies, name, call);
  } catch (error) {
    if (isGarrisonError(error, "keys-outdated")) return undefined;
    throw error;
  }
}

/** As `readForward`, but throws `keys-outdated`: whoever has older keys has to know that there is something newer. */
async function openForward(
  dependencies: ForwardDependencies,
  name: ForwardName,
  call: StoreCall,
): Promise<Forward | undefined> {
  const { keys, store } = dependencies;
  const key = forwardName(keys.domain, name);
  try {
    const object = decodeObject(keys, key, await store.read(key, call));
    const { isSigned, body } = readSignedBody(keys, object);
    return object.kind === "forward" && isSigned ? decodeForward(body, name, key) : undefined;
  } catch (error) {
    if (isObjectError(error)) return undefined;
    throw error;
  }
}

/** Whether an error says that an object, or the wanted end of it, is not there. */
export function isGone(error: unknown): boolean {
  return isGarrisonError(error, "object-missing") || isGarrisonError(error, "object-truncated");
}

async function unlessGone<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

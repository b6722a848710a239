import { forwardPrefix, packName, parseForwardName, type ForwardName } from "../format/object-names.ts";
import { readForward, type ForwardDependencies } from "../point/forward-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import { packKey, type LostItems } from "./lost-items.ts";

/**
 * Takes out of what is lost all that a forward leads to elsewhere: items whose target is there and has not lost them
 * itself. One listing for each kind and session that has lost something.
 */
export async function coverForwarded(
  dependencies: ForwardDependencies,
  lost: LostItems,
  call: StoreCall,
): Promise<void> {
  const { keys } = dependencies;
  const damaged = new Set([...lost.packs()].map(packKey));
  const prefixes = new Set(
    [...lost.packs()].map((pack) => forwardPrefix(keys.domain, pack.kind, pack.session)),
  );
  for (const prefix of prefixes) {
    for await (const object of dependencies.store.list(prefix, call)) {
      const name = parseForwardName(object.key);
      if (name === undefined || !damaged.has(packKey({ kind: name.kind, ...name.origin }))) continue;
      await coverItems(dependencies, { name, lost }, call);
    }
  }
}

async function coverItems(
  dependencies: ForwardDependencies,
  covering: { readonly name: ForwardName; readonly lost: LostItems },
  call: StoreCall,
): Promise<void> {
  const { name, lost } = covering;
  const target = { kind: name.kind, ...name.target };
  const forward = await readForward(dependencies, name, call);
  if (forward === undefined) return;
  const sizeBytes = await sizeOf(
    dependencies,
    packName(dependencies.keys.domain, name.kind, name.target),
    call,
  );
  if (sizeBytes === undefined) return;
  for (const { offset, newOffset, newLength } of forward.items) {
    const place = {
      id: new Uint8Array(0),
      ...name.target,
      pack: name.target.number,
      offset: newOffset,
      length: newLength,
    };
    const isThere = newOffset + newLength <= sizeBytes && !lost.has(target.kind, place);
    if (isThere) lost.cover({ kind: name.kind, ...name.origin }, offset);
  }
}

/** Nothing: the object is not there. */
async function sizeOf(
  { store }: ForwardDependencies,
  key: string,
  call: StoreCall,
): Promise<number | undefined> {
  for await (const object of store.list(key, call)) return object.key === key ? object.sizeBytes : undefined;
  return undefined;
}

import type { ByteRange, ObjectStore, StoreCall, StoredVersion } from "../store/object-store.ts";
import { isGone } from "./forward-reader.ts";

/** Ours is the oldest; a stranger may have put any number over it. */
const mostVersions = 16;

/**
 * Looks for what a reader found damaged among all versions of its object, the oldest first, until `open` recognises it:
 * each key is written once, so the oldest version that is authentic is the true one. Nothing where no versions are kept.
 */
export async function findInVersions<Result>(
  store: ObjectStore,
  wanted: {
    readonly key: string;
    readonly range: ByteRange;
    readonly open: (bytes: Uint8Array) => Promise<Result | undefined> | Result | undefined;
  },
  call: StoreCall,
): Promise<Result | undefined> {
  const { versions } = store;
  if (versions === undefined) return undefined;
  const { key, range, open } = wanted;
  const found: StoredVersion[] = [];
  for await (const version of versions.list(key, call)) {
    if (version.key !== key) break;
    if (!version.isDeleteMarker) found.push(version);
    if (found.length > mostVersions) found.shift();
  }
  for (const version of found.reverse()) {
    try {
      const opened = await open(await versions.read(version, { ...call, range }));
      if (opened !== undefined) return opened;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return undefined;
}

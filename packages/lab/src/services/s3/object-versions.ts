import type { ObjectEntry, ObjectVersion } from "./object-record.ts";

/** What a change leaves of a key, and the versions whose contents nobody needs any more. */
export interface VersionChange {
  readonly versions: readonly ObjectVersion[];
  readonly removed: readonly ObjectVersion[];
}

/** Puts `version` on top. A `null` version (unversioned or suspended bucket) replaces the one there was. */
export function addVersion(entry: ObjectEntry | undefined, version: ObjectVersion): VersionChange {
  const earlier = entry?.versions ?? [];
  if (version.versionId !== "null") return { versions: [version, ...earlier], removed: [] };
  return {
    versions: [version, ...earlier.filter(({ versionId }) => versionId !== "null")],
    removed: earlier.filter(({ versionId }) => versionId === "null"),
  };
}

export function removeVersion(entry: ObjectEntry, versionId: string): VersionChange {
  return {
    versions: entry.versions.filter((version) => version.versionId !== versionId),
    removed: entry.versions.filter((version) => version.versionId === versionId),
  };
}

/** The version a plain GET sees: none where there is no key or a delete marker is on top. */
export function currentVersion(entry: ObjectEntry | undefined): ObjectVersion | undefined {
  const top = entry?.versions[0];
  return top?.deleteMarker ? undefined : top;
}

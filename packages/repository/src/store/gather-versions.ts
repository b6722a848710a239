import type { StoredVersion } from "./object-store.ts";

/** All versions of one key, in as little memory however many a stranger may have added. */
export interface GatheredVersions {
  readonly latest: StoredVersion;
  /** The oldest that holds bytes. */
  readonly first: StoredVersion | undefined;
  /** Versions that hold bytes, and all with the markers. */
  readonly holding: number;
  readonly count: number;
}

/** Takes the versions of each key of a listing together. */
export async function* gatherVersions(
  listing: AsyncIterable<StoredVersion>,
): AsyncGenerator<GatheredVersions> {
  let gathered: GatheredVersions | undefined;
  for await (const version of listing) {
    if (gathered !== undefined && gathered.latest.key !== version.key) {
      yield gathered;
      gathered = undefined;
    }
    gathered = {
      latest: gathered?.latest ?? version,
      first: version.isDeleteMarker ? gathered?.first : version,
      holding: (gathered?.holding ?? 0) + (version.isDeleteMarker ? 0 : 1),
      count: (gathered?.count ?? 0) + 1,
    };
  }
  if (gathered !== undefined) yield gathered;
}

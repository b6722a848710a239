import { GarrisonError } from "@garrison/core/garrison-error";
import { roleCatalogue } from "../role-catalogue.ts";
import snapshot010 from "./0.1.0.json" with { type: "json" };
import { snapshotCatalogue, type CatalogueSnapshot } from "./catalogue-snapshot.ts";

/** What each version's catalogue was; `tools/write-catalogue-snapshot.ts` writes the file of the current one. */
export const snapshots = [snapshot010] as readonly CatalogueSnapshot[];

/** The catalogue of a version, or of the running code (`HEAD`). */
export function readSnapshot(version: string): CatalogueSnapshot {
  if (version === "HEAD") return snapshotCatalogue("HEAD", roleCatalogue);
  const found = snapshots.find((snapshot) => snapshot.version === version);
  if (found !== undefined) return found;
  const known = [...snapshots.map((snapshot) => snapshot.version), "HEAD"].join(", ");
  throw new GarrisonError(
    "release-unknown",
    `${version} is not a version whose catalogue is known: ${known}`,
  );
}

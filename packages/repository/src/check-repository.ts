import { GarrisonError } from "@garrison/core/garrison-error";
import type { ObjectStore, StoreCall } from "./object-store.ts";
import type { Repository } from "./open-repository.ts";

export type CheckLevel = "structure" | "full";

export interface Finding {
  /** `damage`: bytes of a point are lost or wrong. `notice`: something a person should know. */
  readonly severity: "damage" | "notice";
  readonly code: string;
  /** The object it is about. */
  readonly key: string;
  readonly message: string;
  readonly point?: string;
  readonly volumeId?: string;
  /** Bytes of the volume that are hit. */
  readonly range?: { readonly offset: number; readonly length: number };
}

/**
 * `structure`: records, tables, and all that they refer to is there with the right size. `full`: also every page and
 * block is read, opened and compared with its id. Yields every finding; never stops at the first.
 */
export async function* checkRepository(
  _dependencies: { readonly store: ObjectStore; readonly repository: Repository },
  _plan: { readonly level: CheckLevel; readonly domain: string },
  _call: StoreCall,
): AsyncGenerator<Finding> {
  throw new GarrisonError("internal", "check is not wired yet");
  yield undefined as never;
}

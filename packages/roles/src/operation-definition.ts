import type { Grant } from "./grant.ts";

/** Something Garrison can do that needs rights: the unit of the catalogue. */
export interface OperationDefinition {
  readonly id: string;
  readonly title: string;
  /**
   * No code of this release does it yet. Its grants are designed, validated and shown, but no run is checked for them, none
   * of them counts as proven, and a role that has other work is written without them unless its owner asks.
   */
  readonly planned?: true;
  readonly grants: readonly Grant[];
}

import type { Grant } from "./grant.ts";

/** Something Garrison can do that needs rights: the unit of the catalogue. */
export interface OperationDefinition {
  readonly id: string;
  readonly title: string;
  readonly grants: readonly Grant[];
}

/** IAM condition block as templates: operator -> key -> value(s). */
export type ConditionTemplate = Readonly<
  Record<string, Readonly<Record<string, string | readonly string[]>>>
>;

/** Where the worker has to run for the grant to be needed; `always`: wherever it runs. */
export type GrantPlacement = "always" | "workers-in-production" | "workers-in-backup";

/** Whose code makes the call. `worker`: with credentials lent for one task, or the worker role's own. */
export type GrantCaller = "appliance" | "worker" | "systems-manager-agent" | "service";

/**
 * One right and its reason: what a security reviewer reads, what a role document is made of, and what the check asks for.
 * Texts may hold `${name}` of role-values.ts.
 */
export interface Grant {
  /** Kebab-case, unique in the catalogue; the statement's Sid is made of it. */
  readonly id: string;
  readonly actions: readonly string[];
  /** ARN templates of resource types that AWS lists for these actions; `*` only where it lists none. */
  readonly resources: readonly string[];
  readonly conditions?: ConditionTemplate;
  readonly placement: GrantPlacement;
  readonly caller: GrantCaller;
  /** The step of the operation that makes the call. */
  readonly step: string;
  /** One sentence that a security reviewer accepts. */
  readonly why: string;
  /**
   * Absent: a missing right fails the chain. Otherwise the circumstance in which it is needed: a role without it passes,
   * and the report says so.
   */
  readonly neededWhen?: string;
  /** What AWS's documents ask for although no call shows the need: proven by the document, not by a run. */
  readonly contract?: GrantContract;
}

export interface GrantContract {
  /** Those of the grant's actions; absent: all. */
  readonly actions?: readonly string[];
  /** The document's address. */
  readonly source: string;
}

/** Sid of the grant's statement: letters and digits only, as IAM asks. */
export function statementId(grantId: string): string {
  return grantId
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

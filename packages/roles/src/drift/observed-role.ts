import type { HeldPolicy } from "../repair/held-role.ts";

/** What could be read of a role at one moment. A part that nobody may read is absent, and named in `unread`. */
export interface ObservedRole {
  readonly roleArn: string;
  readonly trust?: object;
  /** Name -> document. */
  readonly inlinePolicies?: Readonly<Record<string, object>>;
  readonly attachedPolicies?: readonly HeldPolicy[];
  /** `null`: it has none. */
  readonly boundary?: HeldPolicy | null;
  /** Names of the profiles that hold it. */
  readonly instanceProfiles?: readonly string[];
  readonly unread: readonly string[];
}

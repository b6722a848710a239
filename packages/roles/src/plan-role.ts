import { isDeepStrictEqual } from "node:util";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { RoleDocuments } from "./export-role.ts";

/** What IAM holds of a role; without `trust` there is none. */
export interface RoleState {
  readonly trust?: object;
  readonly inlinePolicies: Readonly<Record<string, object>>;
  readonly attachedPolicies: readonly string[];
  readonly instanceProfile?: { readonly roleNames: readonly string[] };
}

/** One step towards the documents, with what it replaces. */
export interface RoleChange {
  readonly what:
    | "create the role"
    | "replace the trust policy"
    | "write the inline policy"
    | "delete the inline policy"
    | "create and attach the managed policy"
    | "create the instance profile"
    | "put the role into the instance profile"
    | "take the role out of the instance profile"
    | "delete the instance profile";
  readonly name: string;
  readonly before?: object;
  readonly after?: object;
}

/**
 * The steps from what is there to what the documents say, in the order to take them. Policies that aren't named
 * `garrison-` are somebody else's and stay; a foreign role in our instance profile stops it.
 */
export function planRole(state: RoleState, documents: RoleDocuments): readonly RoleChange[] {
  return [
    ...trustChanges(state, documents),
    ...policyChanges(state, documents),
    ...profileChanges(state, documents),
  ];
}

function trustChanges(state: RoleState, { roleName, trust }: RoleDocuments): readonly RoleChange[] {
  if (state.trust === undefined) return [{ what: "create the role", name: roleName, after: trust }];
  if (isDeepStrictEqual(state.trust, trust)) return [];
  return [{ what: "replace the trust policy", name: roleName, before: state.trust, after: trust }];
}

function policyChanges(state: RoleState, documents: RoleDocuments): readonly RoleChange[] {
  const changes: RoleChange[] = [];
  for (const { document, name } of documents.inlinePolicies) {
    const before = state.inlinePolicies[name];
    if (before !== undefined && isDeepStrictEqual(before, document)) continue;
    const replaced = before === undefined ? {} : { before };
    changes.push({ what: "write the inline policy", name, ...replaced, after: document });
  }
  const wanted = new Set(documents.inlinePolicies.map(({ name }) => name));
  for (const [name, before] of Object.entries(state.inlinePolicies)) {
    if (name.startsWith("garrison-") && !wanted.has(name))
      changes.push({ what: "delete the inline policy", name, before });
  }
  for (const { document, name } of documents.managedPolicies) {
    if (state.attachedPolicies.includes(name)) continue;
    changes.push({ what: "create and attach the managed policy", name, after: document });
  }
  return changes;
}

function profileChanges(
  state: RoleState,
  { instanceProfile, roleName }: RoleDocuments,
): readonly RoleChange[] {
  if (instanceProfile === undefined) return [];
  const holders = state.instanceProfile?.roleNames ?? [];
  if (holders.includes(roleName)) return [];
  if (holders.length > 0) {
    throw new GarrisonError(
      "role-changed",
      `the instance profile ${instanceProfile.name} holds ${holders.join(", ")}`,
    );
  }
  const name = instanceProfile.name;
  const put: RoleChange = { what: "put the role into the instance profile", name };
  return state.instanceProfile === undefined ? [{ what: "create the instance profile", name }, put] : [put];
}

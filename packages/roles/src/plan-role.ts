import { isDeepStrictEqual } from "node:util";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { RoleDocuments } from "./export-role.ts";
import { inlineTotalLimit } from "./pack-policies.ts";
import { policySize } from "./policy-statement.ts";
import {
  isAttached,
  isManagedName,
  managedPolicyArn,
  type HeldManagedPolicy,
  type RoleBefore,
} from "./repair/role-before.ts";
import { parseRoleArn } from "./role-arn.ts";
import type { RoleChange } from "./role-change.ts";

/** How many versions of a managed policy IAM keeps. */
const maxVersions = 5;

/**
 * The steps from what is there to what the documents say, in the order to take them. Policies that aren't named as ours
 * are somebody else's and stay; a foreign role in our instance profile stops it, and so does a foreign managed policy.
 */
export function planRole(before: RoleBefore, documents: RoleDocuments): readonly RoleChange[] {
  return [
    ...trustChanges(before, documents),
    ...inlineChanges(before, documents),
    ...documents.managedPolicies.flatMap(({ document, name }) => managedChanges(before, name, document)),
    ...staleAttachments(before, documents),
    ...profileChanges(before, documents),
  ];
}

function trustChanges(
  { held }: RoleBefore,
  { roleName, title, trust }: RoleDocuments,
): readonly RoleChange[] {
  if (held === undefined)
    return [{ what: "create the role", name: roleName, after: trust, description: title }];
  if (isDeepStrictEqual(held.trust, trust)) return [];
  return [{ what: "replace the trust policy", name: roleName, before: held.trust, after: trust }];
}

function inlineChanges(
  { held, roleArn }: RoleBefore,
  { inlinePolicies }: RoleDocuments,
): readonly RoleChange[] {
  const present = held?.inlinePolicies ?? {};
  const foreign = Object.entries(present).filter(([name]) => !name.startsWith("garrison-"));
  const kept = [
    ...foreign.map(([, document]) => document),
    ...inlinePolicies.map(({ document }) => document),
  ];
  const size = kept.reduce((sum, document) => sum + policySize(document), 0);
  if (inlinePolicies.length > 0 && size > inlineTotalLimit) {
    throw new GarrisonError(
      "role-document-too-large",
      `the inline policies of ${roleArn} would have ${size} characters with those that aren't Garrison's, and IAM takes ${inlineTotalLimit}`,
    );
  }
  const wanted = new Set(inlinePolicies.map(({ name }) => name));
  const written = inlinePolicies.flatMap(({ document, name }): readonly RoleChange[] => {
    const before = present[name];
    if (isDeepStrictEqual(before, document)) return [];
    const replaced = before === undefined ? {} : { before };
    return [{ what: "write the inline policy", name, ...replaced, after: document }];
  });
  const stale = Object.entries(present).filter(([name]) => name.startsWith("garrison-") && !wanted.has(name));
  return [
    ...written,
    ...stale.map(([name, before]): RoleChange => ({ what: "delete the inline policy", name, before })),
  ];
}

function managedChanges(before: RoleBefore, name: string, document: object): readonly RoleChange[] {
  const attach: readonly RoleChange[] = isAttached(before, name)
    ? []
    : [{ what: "attach the managed policy", name }];
  const present = before.managed[name];
  if (present === undefined) return [{ what: "create the managed policy", name, after: document }, ...attach];
  requireOurs(before, name, present);
  if (isDeepStrictEqual(present.document, document)) return attach;
  requireAlone(before, name, present);
  const { document: replaced, versionId } = present;
  return [
    { what: "change the managed policy", name, before: replaced, after: document, versionId },
    ...attach,
  ];
}

function requireOurs({ roleArn }: RoleBefore, name: string, { isOurs }: HeldManagedPolicy): void {
  if (isOurs) return;
  throw new GarrisonError(
    "role-policy-in-the-way",
    `${managedPolicyArn(roleArn, name)} is there already, and Garrison did not make it`,
  );
}

/** A change would be one of everybody's rights who has the policy; and no version is deleted, since none could be put back. */
function requireAlone(before: RoleBefore, name: string, { uses, versions }: HeldManagedPolicy): void {
  const arn = managedPolicyArn(before.roleArn, name);
  const others = uses - (isAttached(before, name) ? 1 : 0);
  if (others > 0) {
    throw new GarrisonError(
      "role-policy-in-the-way",
      `${arn} would have to change, and ${others} others have it besides ${before.roleArn}`,
    );
  }
  if (versions < maxVersions) return;
  throw new GarrisonError(
    "role-policy-in-the-way",
    `${arn} would have to change, and has ${versions} versions, as many as IAM keeps: delete one that you don't need`,
  );
}

/** Of an earlier form, with more or other rights: taken off the role, and left in the account. */
function staleAttachments(before: RoleBefore, documents: RoleDocuments): readonly RoleChange[] {
  const wanted = new Set(documents.managedPolicies.map(({ name }) => name));
  const { roleName } = parseRoleArn(before.roleArn);
  return Object.entries(before.managed)
    .filter(([name, { isOurs }]) => isOurs && isManagedName(roleName, name) && !wanted.has(name))
    .filter(([name]) => isAttached(before, name))
    .map(([name, { document }]) => ({ what: "detach the managed policy", name, before: document }));
}

function profileChanges(
  { profiles }: RoleBefore,
  { instanceProfile, roleName }: RoleDocuments,
): readonly RoleChange[] {
  if (instanceProfile === undefined) return [];
  const { name } = instanceProfile;
  const present = profiles.find((profile) => profile.name === name);
  const holders = present?.roleNames ?? [];
  if (holders.includes(roleName)) return [];
  if (holders.length > 0) {
    throw new GarrisonError("role-changed", `the instance profile ${name} holds ${holders.join(", ")}`);
  }
  const put: RoleChange = { what: "put the role into the instance profile", name };
  return present === undefined ? [{ what: "create the instance profile", name }, put] : [put];
}

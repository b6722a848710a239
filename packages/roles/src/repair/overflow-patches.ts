import { isDeepStrictEqual } from "node:util";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { StatementDocument } from "@garrison/iam/policy-document";
import { inlineTotalLimit, managedPoliciesPerRole, packStatements } from "../pack-policies.ts";
import { policySize, type PolicyStatement } from "../policy-statement.ts";
import { parseRoleArn } from "../role-arn.ts";
import { isOwnPolicy, type DocumentDraft, type Drafts } from "./document-draft.ts";
import { statementsOf, withStatements } from "./edit-policy.ts";
import type { OwnerPatch } from "./repair-plan.ts";
import { isManagedName, managedPolicyArn } from "./role-before.ts";

/**
 * Where the role's inline policies have no room for the rights that they would get, these become managed policies for
 * somebody else to attach: a repair writes none. What makes the inline policies smaller stays.
 */
export function overflowPatches({ documents, held }: Drafts): readonly OwnerPatch[] {
  const inline = documents.filter(({ layer, name }) => layer === "identity" && !name.startsWith("arn:"));
  const size = inline.reduce((sum, { now }) => sum + (now === undefined ? 0 : policySize(now)), 0);
  const edited = inline.filter((draft) => isOwnPolicy(draft) && draft.now !== draft.before);
  if (size <= inlineTotalLimit || edited.length === 0) return [];
  const added = edited.flatMap(withoutAdditions);
  if (added.length === 0) return [];
  const policies = packStatements(added);
  requireRoom(held, policies.length);
  const names = freeNames(held);
  const { accountId, roleName } = parseRoleArn(held.roleArn);
  return policies.map((after) => ({
    layer: "identity",
    policy: managedPolicyArn(held.roleArn, names.next().value),
    owner: `the IAM administrators of account ${accountId}: a repair writes no managed policy`,
    sentence: `The inline policies of ${roleName} would have ${size} characters, and IAM takes ${inlineTotalLimit}: these rights fit into a managed policy; \`garrison roles create\`, given the same options, writes the role that way.`,
    statements: after.Statement.map((statement) => ({ after: statement })),
    after,
  }));
}

/** Takes out of the draft what the repair put in, and answers it; a statement that gave way to a longer one comes back. */
function withoutAdditions(draft: DocumentDraft): readonly PolicyStatement[] {
  const before = draft.before === undefined ? [] : statementsOf(draft.before);
  const now = draft.now === undefined ? [] : statementsOf(draft.now);
  const isNew = (one: StatementDocument) =>
    one.Effect === "Allow" && !before.some((former) => isDeepStrictEqual(former, one));
  const kept = now.flatMap((one) =>
    isNew(one) ? before.filter(({ Effect, Sid }) => Effect === "Allow" && Sid === one.Sid) : [one],
  );
  draft.now = isDeepStrictEqual(kept, before) ? draft.before : withStatements(draft.before, kept);
  return now.filter(isNew) as unknown as readonly PolicyStatement[];
}

function requireRoom({ attachedPolicies, roleArn }: Drafts["held"], more: number): void {
  if (attachedPolicies.length + more <= managedPoliciesPerRole) return;
  throw new GarrisonError(
    "role-document-too-large",
    `the inline policies of ${roleArn} are full, ${attachedPolicies.length} managed ones are attached, and the missing rights need ${more} more; a role takes ${managedPoliciesPerRole}`,
  );
}

function* freeNames({ attachedPolicies, roleArn }: Drafts["held"]): Generator<string, string> {
  const { roleName } = parseRoleArn(roleArn);
  const names = attachedPolicies.map(({ arn }) => arn.split("/").at(-1) ?? "");
  const taken = new Set(names.filter((name) => isManagedName(roleName, name)));
  for (let number = 1; ; number++) if (!taken.has(`${roleName}-${number}`)) yield `${roleName}-${number}`;
}

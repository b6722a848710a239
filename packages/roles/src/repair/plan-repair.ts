import { isDeepStrictEqual } from "node:util";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { ChainSubject } from "../chain-subjects.ts";
import { trustPolicyLimit } from "../pack-policies.ts";
import { policySize } from "../policy-statement.ts";
import type { RoleChange } from "../role-change.ts";
import type { CallerFacts } from "../prober.ts";
import { parseRoleArn } from "../role-arn.ts";
import { withoutDeleted } from "./deleted-principals.ts";
import { isOwnPolicy, openDrafts, type Drafts, type Surroundings } from "./document-draft.ts";
import type { HeldRole } from "./held-role.ts";
import { mendRights } from "./mend-rights.ts";
import { mendTrust } from "./mend-trust.ts";
import { overflowPatches } from "./overflow-patches.ts";
import { ownerPatches } from "./owner-patches.ts";
import type { OwnerPatch, RepairPlan } from "./repair-plan.ts";
import type { WantedForm } from "./wanted-form.ts";

export interface RepairRequest {
  /** The role of the catalogue with what it has to be able to do, as for a check. */
  readonly subject: ChainSubject;
  /** The appliance. */
  readonly caller: CallerFacts;
  readonly wanted: WantedForm;
  readonly held: HeldRole;
  /** The organisation's policies, where somebody could read them. */
  readonly surroundings?: Surroundings;
}

/**
 * The smallest change after which the role passes its check: nothing when it is right, in whichever form it is right. The
 * role's own trust, profile and `garrison-` policies are changed; what stands elsewhere becomes a patch for its owner.
 */
export function planRepair(request: RepairRequest): RepairPlan {
  const { held, subject } = request;
  requireExternalId(subject);
  const drafts = openDrafts(held, request.surroundings ?? {});
  const unmended = mendRights({ subject, wanted: request.wanted, drafts });
  const overflow = overflowPatches(drafts);
  const profile = planProfile(subject, held);
  const changes = [...trustChange(request), ...policyChanges(drafts), ...profile.changes];
  return {
    roleArn: held.roleArn,
    changes,
    patches: [...ownerPatches(drafts), ...overflow, ...profile.patches],
    unmended,
  };
}

/** A trust without the external ID would be open to everybody's appliance; a placeholder in it to whoever guesses it. */
function requireExternalId({ externalId, role, roleArn }: ChainSubject): void {
  if (!role.trusts.includes("appliance") || externalId !== undefined) return;
  throw new GarrisonError("usage", `${roleArn} trusts the appliance by an external ID: give --external-id`);
}

function trustChange({ caller, held, subject }: RepairRequest): readonly RoleChange[] {
  const mended = mendTrust({ subject, caller }, held.trust);
  if (isDeepStrictEqual(mended, held.trust)) return [];
  const after = withoutDeleted(mended);
  requireSize(after, trustPolicyLimit, `the trust policy of ${held.roleArn}`);
  const { roleName } = parseRoleArn(held.roleArn);
  return [{ what: "replace the trust policy", name: roleName, before: held.trust, after }];
}

function policyChanges({ documents }: Drafts): readonly RoleChange[] {
  return documents
    .filter((draft) => isOwnPolicy(draft) && draft.now !== draft.before)
    .map(({ before, name, now }) => ({
      what: now === undefined ? "delete the inline policy" : "write the inline policy",
      name,
      ...(before === undefined ? {} : { before }),
      ...(now === undefined ? {} : { after: now }),
    }));
}

interface ProfilePlan {
  readonly changes: readonly RoleChange[];
  readonly patches: readonly OwnerPatch[];
}

/** Workers are launched with the profile that is named as the role. One that another role is in is somebody's. */
function planProfile({ role }: ChainSubject, held: HeldRole): ProfilePlan {
  if (!role.hasInstanceProfile) return { changes: [], patches: [] };
  const { accountId, roleName } = parseRoleArn(held.roleArn);
  const own = held.instanceProfiles.find(({ name }) => name === roleName);
  if (own?.roleNames.includes(roleName) === true) return { changes: [], patches: [] };
  const put = { what: "put the role into the instance profile", name: roleName } as const;
  if (own === undefined)
    return { changes: [{ what: "create the instance profile", name: roleName }, put], patches: [] };
  if (own.roleNames.length === 0) return { changes: [put], patches: [] };
  const [before, after] = [{ Roles: own.roleNames }, { Roles: [roleName] }];
  const holder = own.roleNames.join(", ");
  const patch: OwnerPatch = {
    layer: "instance-profile",
    policy: roleName,
    owner: `the IAM administrators of account ${accountId}, and whoever launches instances with it`,
    sentence: `The instance profile ${roleName} holds ${holder}: instances launched with it get that role, and a profile takes only one.`,
    statements: [{ before, after }],
    before,
    after,
  };
  return { changes: [], patches: [patch] };
}

function requireSize(document: object, limit: number, what: string): void {
  const size = policySize(document);
  if (size <= limit) return;
  throw new GarrisonError(
    "role-document-too-large",
    `${what} would take ${size} of ${limit} characters after the repair`,
  );
}

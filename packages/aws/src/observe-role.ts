import type { IAMClient } from "@aws-sdk/client-iam";
import type { ObservedRole } from "@garrison/roles/drift/observed-role";
import type { Answer, Call } from "@garrison/roles/prober";
import { parseRoleArn } from "@garrison/roles/role-arn";
import { askAws } from "./ask-aws.ts";
import {
  readAttachedPolicies,
  readInlinePolicies,
  readManagedPolicy,
  readProfilesOf,
  readRoleHead,
} from "./role-parts.ts";
import { openRoleProbe } from "./role-prober.ts";

/**
 * Reads of a role what the given identities may, each asked in turn for each part: the role itself may read its trust, the
 * role that launches it its policies. What none of them may read is named.
 */
export async function observeRole(
  identities: readonly IAMClient[],
  { hasProfile, roleArn }: { readonly roleArn: string; readonly hasProfile: boolean },
  call: Call,
): Promise<ObservedRole> {
  const { roleName } = parseRoleArn(roleArn);
  const unread: string[] = [];
  const part = async <Value>(
    name: string,
    read: (iam: IAMClient) => Promise<Value>,
  ): Promise<Value | undefined> => {
    for (const iam of identities) {
      const answer: Answer<Value> = await askAws(call, `reading ${name} of ${roleArn}`, () => read(iam));
      if (answer.outcome === "known") return answer.value;
    }
    unread.push(name);
    return undefined;
  };
  const head = await part("its trust policy", (iam) => readHead(iam, roleArn, call));
  const inlinePolicies = await part("its inline policies", (iam) => readInlinePolicies(iam, roleName, call));
  const attached = await part("its attached policies", (iam) => readAttachedPolicies(iam, roleName, call));
  const profiles = !hasProfile
    ? undefined
    : await part("its instance profiles", (iam) => readProfilesOf(iam, roleName, call));
  const { boundaryArn } = head ?? {};
  const boundary =
    boundaryArn === undefined
      ? null
      : await part("its permissions boundary", (iam) => readManagedPolicy(iam, boundaryArn, call));
  return {
    roleArn,
    ...(head === undefined ? {} : { trust: head.trust }),
    ...(inlinePolicies === undefined ? {} : { inlinePolicies }),
    ...(attached === undefined ? {} : { attachedPolicies: attached }),
    ...(head?.isWhole !== true || boundary === undefined ? {} : { boundary }),
    ...(profiles === undefined ? {} : { instanceProfiles: profiles.map(({ name }) => name).sort() }),
    unread,
  };
}

interface Head {
  readonly trust: object;
  readonly boundaryArn?: string;
  /** The role was read itself, so that it would have shown a boundary. */
  readonly isWhole: boolean;
}

/** The launching role may not read the worker role, but the profile that it passes, which shows the role's trust. */
async function readHead(iam: IAMClient, roleArn: string, call: Call): Promise<Head> {
  const { roleName } = parseRoleArn(roleArn);
  const own = await askAws(call, `reading ${roleArn}`, () => readRoleHead(iam, roleName, call));
  if (own.outcome === "known") {
    const { boundaryArn, trust } = own.value;
    return { trust, isWhole: true, ...(boundaryArn === undefined ? {} : { boundaryArn }) };
  }
  const profile = await openRoleProbe(iam).getInstanceProfile(roleName, call);
  const seen =
    profile.outcome === "known" ? profile.value.roles.find(({ arn }) => arn === roleArn) : undefined;
  if (seen?.trust === undefined) throw new Error(own.message);
  return { trust: seen.trust, isWhole: false };
}

import type { NamedPolicy } from "@garrison/iam/evaluation-case";
import type { CallerPrincipal } from "../identity/caller-principal.ts";
import { nameKey, type IdentityTables, type Principal } from "../identity/identity-tables.ts";
import type { ParsedPolicies } from "./parsed-policies.ts";

/** The policies that hang on a caller. */
export interface PrincipalPolicies {
  readonly identityPolicies: readonly NamedPolicy[];
  readonly permissionBoundaries?: readonly NamedPolicy[];
  readonly sessionPolicy?: object;
}

const administrator: NamedPolicy = {
  name: "root user",
  policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
};

/** What a user or role holds itself. */
export function attachedPolicies(
  tables: IdentityTables,
  parsed: ParsedPolicies,
  holder: Principal,
): PrincipalPolicies {
  const inline = Object.entries(holder.inlinePolicies).map(([name, document]) => ({
    name,
    policy: parsed.parse(document),
  }));
  const managed = holder.attachedPolicyArns.flatMap((arn) => managedPolicy(tables, parsed, arn));
  const identityPolicies = [...inline, ...managed];
  if (holder.boundaryArn === undefined) return { identityPolicies };
  return { identityPolicies, permissionBoundaries: managedPolicy(tables, parsed, holder.boundaryArn) };
}

/** Everything that limits a caller: the holder's policies and those of the session. */
export function policiesOfCaller(
  tables: IdentityTables,
  parsed: ParsedPolicies,
  caller: CallerPrincipal,
): PrincipalPolicies {
  if (caller.type === "anonymous") return { identityPolicies: [] };
  if (caller.type === "root") return { identityPolicies: [administrator] };
  const holder = holderOf(tables, caller);
  const own = holder === undefined ? { identityPolicies: [] } : attachedPolicies(tables, parsed, holder);
  const session = caller.session?.sessionPolicies;
  if (session === undefined || session.length === 0) return own;
  return { ...own, sessionPolicy: parsed.merge(session.map(({ document }) => document)) };
}

export function holderOf(tables: IdentityTables, caller: CallerPrincipal): Principal | undefined {
  const { accountId, roleName, userName } = caller;
  if (roleName !== undefined) return tables.roles.get(nameKey(accountId, roleName));
  return userName === undefined ? undefined : tables.users.get(nameKey(accountId, userName));
}

function managedPolicy(tables: IdentityTables, parsed: ParsedPolicies, arn: string): NamedPolicy[] {
  const policy = tables.managedPolicies.get(arn);
  const version = policy?.versions.find(({ versionId }) => versionId === policy.defaultVersionId);
  return version === undefined ? [] : [{ name: arn, policy: parsed.parse(version.document) }];
}

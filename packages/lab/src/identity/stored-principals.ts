import type { Lab } from "../lab.ts";
import { AwsError } from "../wire/aws-error.ts";
import { nameKey } from "./identity-tables.ts";

/**
 * AWS stores the users and roles that a policy's `Principal` names by their unique ids. A deleted one shows as its id
 * and matches nobody, even when a role of the same name is made again. `storePrincipals` and `showPrincipals` are the
 * way in and out; both leave everything else of the document as it is.
 */
export function storePrincipals(lab: Lab, document: string): string {
  return mapPrincipals(document, (principal) => storedForm(lab, principal));
}

/** The document as it reads now: ids of living principals as ARNs, ids of deleted ones as they are. */
export function showPrincipals(lab: Lab, document: string): string {
  if (!document.includes("AROA") && !document.includes("AIDA")) return document;
  const arns = new Map<string, string>();
  for (const role of lab.effectiveIdentity.roles.values()) arns.set(role.roleId, role.arn);
  for (const user of lab.effectiveIdentity.users.values()) arns.set(user.userId, user.arn);
  return mapPrincipals(document, (principal) => {
    const [id = "", session] = principal.split(":");
    const arn = arns.get(id);
    if (arn === undefined) return principal;
    return session === undefined ? arn : sessionArn(arn, session);
  });
}

type PrincipalMap = (principal: string) => string;

interface StatementLike {
  Principal?: string | Record<string, string | string[]>;
  NotPrincipal?: string | Record<string, string | string[]>;
}

function mapPrincipals(document: string, map: PrincipalMap): string {
  const parsed = JSON.parse(document) as { Statement: StatementLike | StatementLike[] };
  for (const statement of [parsed.Statement].flat()) {
    for (const element of [statement.Principal, statement.NotPrincipal]) {
      if (typeof element !== "object" || element.AWS === undefined) continue;
      const mapped = [element.AWS].flat().map(map);
      element.AWS = Array.isArray(element.AWS) ? mapped : mapped[0]!;
    }
  }
  return JSON.stringify(parsed);
}

const iamArn = /^arn:[^:]+:iam::(\d{12}):(root|user\/.+|role\/.+)$/;
const sessionForm = /^arn:[^:]+:sts::(\d{12}):assumed-role\/([^/]+)\/([^/]+)$/;

function storedForm(lab: Lab, principal: string): string {
  if (principal === "*") return principal;
  if (/^(AROA|AIDA)/.test(principal)) return livingId(lab, principal);
  if (/^\d{12}$/.test(principal)) return storedAccount(lab, principal, principal);
  const session = sessionForm.exec(principal);
  if (session !== null)
    return `${roleId(lab, { accountId: session[1]!, name: session[2]!, principal })}:${session[3]!}`;
  const hit = iamArn.exec(principal);
  if (hit === null) throw invalidPrincipal(principal);
  const [, accountId = "", rest = ""] = hit;
  if (rest === "root") return storedAccount(lab, accountId, principal);
  const name = rest.slice(rest.lastIndexOf("/") + 1);
  if (rest.startsWith("role/")) return roleId(lab, { accountId, name, principal });
  const user = lab.effectiveIdentity.users.get(nameKey(accountId, name));
  if (user?.arn !== principal) throw invalidPrincipal(principal);
  return user.userId;
}

/** What shows as an id is deleted: AWS wants it removed or replaced before it stores the document again. */
function livingId(lab: Lab, principal: string): string {
  const [id] = principal.split(":");
  const isRole = [...lab.effectiveIdentity.roles.values()].some(({ roleId }) => roleId === id);
  const isUser = [...lab.effectiveIdentity.users.values()].some(({ userId }) => userId === id);
  if (!isRole && !isUser) throw invalidPrincipal(principal);
  return principal;
}

function storedAccount(lab: Lab, accountId: string, principal: string): string {
  if (!lab.identity.accounts.has(accountId)) throw invalidPrincipal(principal);
  return `arn:${lab.settings.partition}:iam::${accountId}:root`;
}

interface NamedRole {
  readonly accountId: string;
  readonly name: string;
  readonly principal: string;
}

function roleId(lab: Lab, { accountId, name, principal }: NamedRole): string {
  const role = lab.effectiveIdentity.roles.get(nameKey(accountId, name));
  const exact = principal.includes(":role/") ? role?.arn === principal : true;
  if (role === undefined || !exact) throw invalidPrincipal(principal);
  return role.roleId;
}

function sessionArn(roleArn: string, session: string): string {
  const name = roleArn.slice(roleArn.lastIndexOf("/") + 1);
  return `${roleArn.replace(":iam:", ":sts:").replace(/:role\/.*$/, "")}:assumed-role/${name}/${session}`;
}

function invalidPrincipal(principal: string): AwsError {
  return new AwsError("MalformedPolicyDocument", `Invalid principal in policy: "AWS":"${principal}"`);
}

import type { OneOrMany, PrincipalElement } from "./policy-document.ts";
import type { RequestPrincipal } from "./request-principal.ts";

/**
 * How a policy's principal names the one who asks. It matters beyond yes or no: a grant to everyone, to a user or to a
 * session reaches the caller directly; one to a role is still limited by its boundary and session policy; one to an account
 * only delegates to that account's own IAM policies.
 */
export type PrincipalMatch = "none" | "account" | "role" | "direct";

export interface PrincipalPattern {
  readonly everyone: boolean;
  readonly aws: readonly string[];
  readonly service: readonly string[];
  readonly federated: readonly string[];
  readonly canonical: readonly string[];
}

export function compilePrincipal(element: PrincipalElement): PrincipalPattern {
  if (element === "*") return { everyone: true, aws: [], service: [], federated: [], canonical: [] };
  const aws = listValues(element["AWS"]);
  return {
    everyone: aws.includes("*"),
    aws: aws.filter((value) => value !== "*"),
    service: listValues(element["Service"]),
    federated: listValues(element["Federated"]),
    canonical: listValues(element["CanonicalUser"]),
  };
}

function listValues(values: OneOrMany<string> | undefined): readonly string[] {
  return values === undefined ? [] : typeof values === "string" ? [values] : values;
}

/** The strongest way in which the pattern names the principal. */
export function matchPrincipal(pattern: PrincipalPattern, principal: RequestPrincipal): PrincipalMatch {
  if (pattern.everyone) return "direct";
  switch (principal.kind) {
    case "anonymous":
      return "none";
    case "service":
    case "identity-provider":
      return names(pattern.service, principal.name) || names(pattern.federated, principal.name)
        ? "direct"
        : "none";
    case "canonical":
      return names(pattern.canonical, principal.name) ? "direct" : "none";
    default:
      return matchAwsPrincipal(pattern, principal);
  }
}

function names(values: readonly string[], name: string): boolean {
  return values.some((value) => value === name || value === "*");
}

function matchAwsPrincipal(pattern: PrincipalPattern, principal: RequestPrincipal): PrincipalMatch {
  let best: PrincipalMatch = "none";
  for (const value of pattern.aws) {
    const match = matchAwsValue(value, principal);
    if (match === "direct") return match;
    if (match === "role" || best === "none") best = match;
  }
  return best;
}

function matchAwsValue(value: string, principal: RequestPrincipal): PrincipalMatch {
  if (namesAccount(value, principal)) return principal.kind === "root" ? "direct" : "account";
  if (value === principal.name) return principal.kind === "role" ? "role" : "direct";
  return principal.kind === "session" && namesRole(value, principal) ? "role" : "none";
}

function namesAccount(value: string, { accountId, partition = "aws" }: RequestPrincipal): boolean {
  return value === accountId || value === `arn:${partition}:iam::${accountId}:root`;
}

/** A role's name is unique in its account whatever its path, and a session's ARN doesn't show the path. */
function namesRole(value: string, { accountId, partition, roleName }: RequestPrincipal): boolean {
  const prefix = `arn:${partition}:iam::${accountId}:role/`;
  return value.startsWith(prefix) && value.slice(value.lastIndexOf("/") + 1) === roleName;
}

/**
 * Whether `NotPrincipal` exempts the one who asks. In a Deny only the most specific identity counts (the user, or the
 * role's session): AWS looks at the account, the role and the session one after the other, and naming the account must not
 * exempt all of its users. As AWS documents, such a Deny always holds for users and roles with a permissions boundary.
 */
export function isExempt(
  pattern: PrincipalPattern,
  { principal, hasBoundary }: { readonly principal: RequestPrincipal; readonly hasBoundary: boolean },
  effect: "Allow" | "Deny",
): boolean {
  const match = matchPrincipal(pattern, principal);
  if (effect === "Allow") return match !== "none";
  if (hasBoundary && principal.accountId !== undefined && principal.kind !== "root") return false;
  return match === "direct" || (match === "role" && principal.kind === "role");
}

/** Who asks, read from the request's principal. */
export interface RequestPrincipal {
  readonly kind:
    | "user"
    | "role"
    | "session"
    | "federated-user"
    | "root"
    | "service"
    | "identity-provider"
    | "canonical"
    | "anonymous";
  /** As it was given; empty for anonymous. */
  readonly name: string;
  /** Absent for those who belong to no account: services, identity providers, anonymous. */
  readonly accountId?: string;
  readonly partition?: string;
  /** For `role` and `session`: the role's name without its path. */
  readonly roleName?: string;
}

/** Reads a principal; text that is no ARN is a service's or identity provider's name. */
export function readPrincipal(principal: string | { readonly type: "Anonymous" }): RequestPrincipal {
  if (typeof principal !== "string") return { kind: "anonymous", name: "" };
  if (!principal.startsWith("arn:")) return readPlainName(principal);
  const fields = principal.split(":", 5);
  const [, partition = "", service = "", , accountId = ""] = fields;
  const resource = principal.slice(fields.reduce((length, field) => length + field.length + 1, 0));
  if (service === "sts") {
    if (!resource.startsWith("assumed-role/")) {
      return { kind: "federated-user", name: principal, accountId, partition };
    }
    const roleName = resource.split("/", 2)[1] ?? "";
    return { kind: "session", name: principal, accountId, partition, roleName };
  }
  if (resource === "root") return { kind: "root", name: principal, accountId, partition };
  if (resource.startsWith("role/")) {
    const roleName = resource.slice(resource.lastIndexOf("/") + 1);
    return { kind: "role", name: principal, accountId, partition, roleName };
  }
  if (resource.startsWith("oidc-provider/") || resource.startsWith("saml-provider/")) {
    return { kind: "identity-provider", name: principal };
  }
  return { kind: "user", name: principal, accountId, partition };
}

function readPlainName(name: string): RequestPrincipal {
  if (/^\d{12}$/.test(name)) return { kind: "root", name, accountId: name };
  if (/^[0-9a-f]{64}$/.test(name)) return { kind: "canonical", name };
  const isService = /\.amazonaws\.(com|com\.cn|eu)$/.test(name) || name.endsWith(".aws.internal");
  return { kind: isService ? "service" : "identity-provider", name };
}

/** `aws:PrincipalArn` as AWS would fill it. A session's ARN doesn't tell its role's path, so that is left out. */
export function principalArn(principal: RequestPrincipal): string | undefined {
  const { kind, partition = "aws", accountId, roleName, name } = principal;
  if (accountId === undefined) return undefined;
  if (kind === "session") return `arn:${partition}:iam::${accountId}:role/${roleName}`;
  if (kind === "root") return `arn:${partition}:iam::${accountId}:root`;
  return name;
}

/** `aws:PrincipalType` as AWS would fill it. */
export function principalType(principal: RequestPrincipal): string | undefined {
  switch (principal.kind) {
    case "root":
      return "Account";
    case "user":
      return "User";
    case "role":
    case "session":
      return "AssumedRole";
    case "federated-user":
      return "FederatedUser";
    case "anonymous":
      return "Anonymous";
    default:
      return undefined;
  }
}

/** `aws:userid`, where the principal tells it: unique ids of users and roles stand in no ARN. */
export function principalUserId({ kind, accountId }: RequestPrincipal): string | undefined {
  if (kind === "anonymous") return "anonymous";
  return kind === "root" ? accountId : undefined;
}

/** Service-linked roles are exempt from the organisation's policies. A session's ARN shows them only by the name. */
export function isServiceLinked(principal: RequestPrincipal, principalArn: string | undefined): boolean {
  if (principal.kind !== "role" && principal.kind !== "session") return false;
  const arn = principal.kind === "role" ? principal.name : (principalArn ?? "");
  return (
    arn.includes(":role/aws-service-role/") || (principal.roleName ?? "").startsWith("AWSServiceRoleFor")
  );
}

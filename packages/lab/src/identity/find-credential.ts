import type { Lab } from "../lab.ts";
import type { CallerPrincipal, StoredSession } from "./caller-principal.ts";
import { nameKey, type Role, type User } from "./identity-tables.ts";

/** What a request's access key leads to. */
export interface Credential {
  readonly secretAccessKey: string;
  /** Present for temporary credentials: the request must carry exactly this token. */
  readonly sessionToken?: string;
  readonly expiresAtMs?: number;
  readonly principal: CallerPrincipal;
}

/** Looks a key up; undefined for unknown and inactive ones, and for those whose user or role has gone. */
export function findCredential(lab: Lab, accessKeyId: string): Credential | undefined {
  const session = lab.identity.sessions.get(accessKeyId);
  if (session !== undefined) return sessionCredential(lab, session);
  const key = lab.effectiveIdentity.accessKeys.get(accessKeyId);
  if (key === undefined || key.status !== "Active") return undefined;
  const principal = longTermPrincipal(lab, { accessKeyId, accountId: key.accountId, userName: key.userName });
  return principal && { secretAccessKey: key.secretAccessKey, principal };
}

function sessionCredential(lab: Lab, session: StoredSession): Credential | undefined {
  const principal = session.roleName === undefined ? userSession(lab, session) : roleSession(lab, session);
  const { secretAccessKey, sessionToken, expiresAtMs } = session;
  return principal && { secretAccessKey, sessionToken, expiresAtMs, principal };
}

interface LongTermKey {
  readonly accessKeyId: string;
  readonly accountId: string;
  readonly userName: string | undefined;
}

function longTermPrincipal(
  lab: Lab,
  { accessKeyId, accountId, userName }: LongTermKey,
): CallerPrincipal | undefined {
  if (userName === undefined) {
    const arn = `arn:${lab.settings.partition}:iam::${accountId}:root`;
    return { type: "root", accountId, arn, userId: accountId, accessKeyId, tags: {} };
  }
  const user = lab.effectiveIdentity.users.get(nameKey(accountId, userName));
  return user && userPrincipal(user, accessKeyId);
}

function userPrincipal(user: User, accessKeyId: string): CallerPrincipal {
  const { accountId, arn, userId, userName, tags } = user;
  return { type: "user", accountId, arn, userId, userName, accessKeyId, tags };
}

function userSession(lab: Lab, session: StoredSession): CallerPrincipal | undefined {
  const { accessKeyId, accountId, userName } = session;
  const principal = longTermPrincipal(lab, { accessKeyId, accountId, userName });
  return principal && { ...principal, session };
}

/** A session whose role was deleted has no identity any more, even if a role of that name exists again. */
function roleSession(lab: Lab, session: StoredSession): CallerPrincipal | undefined {
  const role = lab.effectiveIdentity.roles.get(nameKey(session.accountId, session.roleName!));
  if (role === undefined || role.roleId !== session.roleId) return undefined;
  return {
    ...rolePrincipal(lab, role, session.sessionName!),
    accessKeyId: session.accessKeyId,
    tags: { ...role.tags, ...session.tags },
    ...instanceOf(session),
    session,
  };
}

function rolePrincipal(lab: Lab, role: Role, sessionName: string): CallerPrincipal {
  const { accountId, roleName, roleId, arn: roleArn, tags } = role;
  const arn = `arn:${lab.settings.partition}:sts::${accountId}:assumed-role/${roleName}/${sessionName}`;
  return {
    type: "role-session",
    accountId,
    arn,
    userId: `${roleId}:${sessionName}`,
    accessKeyId: "",
    roleName,
    roleArn,
    sessionName,
    tags,
  };
}

function instanceOf(session: StoredSession): { instanceId?: string } {
  return session.instance === undefined ? {} : { instanceId: session.instance.instanceId };
}

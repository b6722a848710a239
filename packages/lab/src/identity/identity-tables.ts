import type { Collection } from "../state/collection.ts";
import { delayView, type DelayOptions } from "../state/delayed-view.ts";
import type { LabState } from "../state/lab-state.ts";
import type { StoredSession } from "./caller-principal.ts";

export interface Account {
  readonly accountId: string;
  readonly name: string;
  readonly email: string;
  readonly createdAtMs: number;
}

/** What users and roles have in common: where their rights come from. */
export interface Principal {
  readonly accountId: string;
  readonly path: string;
  readonly arn: string;
  readonly createdAtMs: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Name to document, as it was sent. */
  readonly inlinePolicies: Readonly<Record<string, string>>;
  readonly attachedPolicyArns: readonly string[];
  readonly boundaryArn?: string;
}

export interface User extends Principal {
  readonly userName: string;
  readonly userId: string;
}

export interface Role extends Principal {
  readonly roleName: string;
  readonly roleId: string;
  readonly description?: string;
  readonly maxSessionDurationSeconds: number;
  /** The trust policy; users and roles it names are held by unique id (`AROA…`), as AWS does. */
  readonly trustPolicy: string;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly accountId: string;
  /** Absent for keys of the account's root user. */
  readonly userName?: string;
  readonly status: "Active" | "Inactive";
  readonly createdAtMs: number;
}

export interface InstanceProfile {
  readonly accountId: string;
  readonly instanceProfileName: string;
  readonly instanceProfileId: string;
  readonly path: string;
  readonly arn: string;
  readonly createdAtMs: number;
  readonly roleName?: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface ManagedPolicyVersion {
  readonly versionId: string;
  readonly document: string;
  readonly createdAtMs: number;
}

export interface ManagedPolicy {
  readonly arn: string;
  /** `aws` for AWS's own. */
  readonly accountId: string;
  readonly policyName: string;
  readonly policyId: string;
  readonly path: string;
  readonly description?: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly defaultVersionId: string;
  readonly versions: readonly ManagedPolicyVersion[];
  readonly lastVersionNumber: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** Who exists. Keys are `<accountId>/<name>` unless said otherwise; names are compared as IAM does, without case. */
export interface IdentityTables {
  /** By account id. */
  readonly accounts: Collection<Account>;
  readonly users: Collection<User>;
  readonly roles: Collection<Role>;
  readonly instanceProfiles: Collection<InstanceProfile>;
  /** By ARN. */
  readonly managedPolicies: Collection<ManagedPolicy>;
  /** By access key id. */
  readonly accessKeys: Collection<AccessKey>;
  /** By access key id. */
  readonly sessions: Collection<StoredSession>;
}

export function openIdentityTables(state: LabState): IdentityTables {
  return {
    accounts: state.collection("accounts"),
    users: state.collection("users"),
    roles: state.collection("roles"),
    instanceProfiles: state.collection("instance-profiles"),
    managedPolicies: state.collection("managed-policies"),
    accessKeys: state.collection("access-keys"),
    sessions: state.collection("sessions"),
  };
}

/** The key of a named thing in its account. */
export function nameKey(accountId: string, name: string): string {
  return `${accountId}/${name.toLowerCase()}`;
}

export interface IdentityViews {
  readonly current: IdentityTables;
  /** As seen by services other than IAM. */
  readonly delayed: IdentityTables;
}

/** Both views of all tables. Sessions and access keys that STS and seeds make hold at once. */
export function openIdentityViews(state: LabState, options: DelayOptions): IdentityViews {
  const tables = openIdentityTables(state);
  const users = delayView(tables.users, options);
  const roles = delayView(tables.roles, options);
  const instanceProfiles = delayView(tables.instanceProfiles, options);
  const managedPolicies = delayView(tables.managedPolicies, options);
  const accessKeys = delayView(tables.accessKeys, options);
  const pick = (side: "current" | "delayed"): IdentityTables => ({
    ...tables,
    users: users[side],
    roles: roles[side],
    instanceProfiles: instanceProfiles[side],
    managedPolicies: managedPolicies[side],
    accessKeys: accessKeys[side],
  });
  return { current: pick("current"), delayed: pick("delayed") };
}

import { GarrisonError } from "@garrison/core/garrison-error";
import type { Grant } from "./grant.ts";
import { attachedRole, builtOperations, isPlannedRole } from "./role-operations.ts";
import type { OperationDefinition } from "./operation-definition.ts";
import { grantStatement } from "./grant-statement.ts";
import { packPolicies, trustPolicyLimit, type NamedPolicy } from "./pack-policies.ts";
import { partitionValues } from "./partition-values.ts";
import { policySize, type PolicyStatement, type PolicyText } from "./policy-statement.ts";
import { findRole, roleCatalogue } from "./role-catalogue.ts";
import type { RoleDefinition, RoleId } from "./role-definition.ts";
import type { RoleValues } from "./role-values.ts";
import { trustPolicy } from "./trust-policy.ts";

export interface ExportOptions {
  /** Default `scoped`. */
  readonly form?: "scoped" | "compatible";
  /** Default `aws`. */
  readonly partition?: string;
  readonly accounts?: {
    readonly backup?: string;
    readonly production?: string;
    readonly management?: string;
  };
  /** For the worker role: which account it lives in. Default `production`. */
  readonly placement?: "production" | "backup";
  /** Whether the production account's roles may launch workers there. Default false. */
  readonly withWorkersInProduction?: boolean;
  /** Whether a role that has work today also gets the rights of operations without code yet. Default false. */
  readonly withPlanned?: boolean;
  /** For a template: the role's account and the installation are filled in where it is used. Default false. */
  readonly isTemplate?: boolean;
  /** Default: every Region. */
  readonly regions?: readonly string[];
  /** The installation's id (8 hex digits). Default: any. */
  readonly installation?: string;
  readonly externalId?: string;
  /** Default: the appliance role of the catalogue in the backup account. */
  readonly applianceArn?: string;
  /** For the appliance: users and roles of its account that may run it outside EC2. Default: nobody. */
  readonly operatorArns?: readonly string[];
  readonly names?: Readonly<Partial<Record<RoleId, string>>>;
  /** ARN patterns of roles that a restored instance may get. Default none. */
  readonly passRoles?: readonly string[];
  /** For the appliance: the roles it may assume. Default: the catalogue's names in every account. */
  readonly assumedRoles?: readonly string[];
  readonly bucket?: string;
  readonly bucketPrefix?: string;
  readonly stagingBuckets?: readonly string[];
  readonly repositoryKeyArns?: readonly string[];
  /** ARNs of secrets that hold database logins. Default none. */
  readonly databaseSecretArns?: readonly string[];
  /** Default: the vault that AWS Backup makes by itself. */
  readonly backupVaults?: readonly string[];
}

/** Everything that has to exist in IAM for one role. */
export interface RoleDocuments {
  readonly roleId: RoleId;
  readonly roleName: string;
  readonly title: string;
  readonly trust: PolicyText;
  readonly inlinePolicies: readonly NamedPolicy[];
  /** Used only when the inline limit is exceeded. */
  readonly managedPolicies: readonly NamedPolicy[];
  readonly instanceProfile?: { readonly name: string };
  /** What a person has to know or fill in before using it. */
  readonly warnings: readonly string[];
}

/** What stands for a value that nobody gave. None is part of another, and none is shorter than an account's id. */
export const placeholders = {
  backupAccount: "BACKUP_ACCOUNT_ID",
  externalId: "EXTERNAL_ID",
  bucket: "BUCKET_NAME",
  /** Only in documents for templates: the account that the template is used in. */
  ownAccount: "OWN_ACCOUNT_",
  /** Only in documents for templates. */
  installation: "INSTALLATION_ID",
  /** Only in documents for templates over an organisation. */
  applianceRole: "APPLIANCE_ROLE_NAME",
} as const;

/** The documents of one role, the same for the same options. */
export function exportRole(roleId: RoleId, options: ExportOptions = {}): RoleDocuments {
  const role = findRole(roleId);
  const roleName = options.names?.[roleId] ?? role.defaultName;
  const values = roleValues(role, options);
  const trust = trustPolicy(role, {
    ...partitionValues(values.partition),
    account: values.account,
    backupAccount: options.accounts?.backup ?? placeholders.backupAccount,
    applianceArn: applianceArn(options),
    externalId: options.externalId ?? placeholders.externalId,
    ...(options.operatorArns === undefined ? {} : { operatorArns: options.operatorArns }),
  });
  if (policySize(trust) > trustPolicyLimit) {
    throw new GarrisonError(
      "role-document-too-large",
      `the trust policy of ${roleName} exceeds ${trustPolicyLimit}`,
    );
  }
  const groups = policyGroups(role, options);
  const isCompatible = options.form === "compatible";
  const policies = groups.map(({ name, grants }) => ({
    name,
    document: isCompatible ? compatibleDocument(name, grants, values) : scopedDocument(grants, values),
  }));
  return {
    roleId,
    roleName,
    title: role.title,
    trust,
    ...packPolicies(roleName, policies),
    ...(role.hasInstanceProfile ? { instanceProfile: { name: roleName } } : {}),
    warnings: warnings(role, options),
  };
}

interface PolicyGroup {
  readonly name: string;
  readonly grants: readonly Grant[];
}

/** A policy for each operation; a grant that several operations share stands in the first of them. */
function policyGroups(role: RoleDefinition, options: ExportOptions): readonly PolicyGroup[] {
  const written = new Set<string>();
  return exportedOperations(role, options).map((operation) => {
    const grants = operation.grants.filter(({ id }) => !written.has(id));
    for (const { id } of grants) written.add(id);
    return {
      name: `garrison-${operation.id.replaceAll(".", "-")}`,
      grants: grants.filter((grant) => applies(grant, options)),
    };
  });
}

/** Rights that nothing uses yet are written only when asked for, or when the role is for nothing else. */
function exportedOperations(role: RoleDefinition, options: ExportOptions): readonly OperationDefinition[] {
  const withPlanned = options.withPlanned === true || isPlannedRole(role);
  return withPlanned ? role.operations : builtOperations(role);
}

function applies(grant: Grant, options: ExportOptions): boolean {
  return grant.placement !== "workers-in-production" || options.withWorkersInProduction === true;
}

function scopedDocument(grants: readonly Grant[], values: RoleValues): PolicyText {
  const statements = grants.map((grant) => grantStatement(grant, values));
  return { Version: "2012-10-17", Statement: statements.filter((statement) => statement !== undefined) };
}

/** Every action on every resource; only what PassRole may hand over stays named, since that is another role's power. */
function compatibleDocument(name: string, grants: readonly Grant[], values: RoleValues): PolicyText {
  const isPassing = (grant: Grant): boolean => grant.actions.includes("iam:PassRole");
  const statements = grants.filter(isPassing).flatMap((grant) => grantStatement(grant, values) ?? []);
  const withResources = grants.filter(
    (grant) => !isPassing(grant) && grantStatement(grant, values) !== undefined,
  );
  const actions = [...new Set(withResources.flatMap((grant) => grant.actions))].sort();
  if (actions.length === 0) return { Version: "2012-10-17", Statement: statements };
  const all: PolicyStatement = { Sid: sidOf(name), Effect: "Allow", Action: actions, Resource: ["*"] };
  return { Version: "2012-10-17", Statement: [all, ...statements] };
}

function sidOf(policyName: string): string {
  return policyName.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

export function roleValues(role: RoleDefinition, options: ExportOptions): RoleValues {
  const part = partitionValues(options.partition ?? "aws");
  const account = accountOf(role, options) ?? (options.isTemplate === true ? placeholders.ownAccount : "*");
  const name = (id: RoleId): string => options.names?.[id] ?? findRole(id).defaultName;
  const arn = (kind: string, id: RoleId): string =>
    `arn:${part.partition}:iam::${account}:${kind}/${name(id)}`;
  const prefix = options.bucketPrefix?.replace(/^\/+|\/+$/g, "") ?? "";
  const attached = attachedRole(role);
  return {
    ...part,
    account,
    region: options.regions ?? ["*"],
    installation: options.installation ?? (options.isTemplate === true ? placeholders.installation : "*"),
    roleArn: arn("role", role.id),
    workerRoleArn: [arn("role", attached)],
    workerProfileArn: [arn("instance-profile", attached)],
    passRoleArn: options.passRoles ?? [],
    assumedRoleArn: options.assumedRoles ?? assumedRoles(options, name),
    bucket: [options.bucket ?? placeholders.bucket],
    bucketPrefix: prefix === "" ? "" : `${prefix}/`,
    stagingBucket: options.stagingBuckets ?? [],
    repositoryKeyArn: options.repositoryKeyArns ?? [],
    databaseSecretArn: options.databaseSecretArns ?? [],
    backupVault: options.backupVaults ?? ["Default"],
  };
}

function assumedRoles(options: ExportOptions, name: (id: RoleId) => string): readonly string[] {
  const others = roleCatalogue.filter(
    ({ id, serves, willServe }) =>
      id !== "appliance" && (serves.length > 0 || (options.withPlanned === true && willServe.length > 0)),
  );
  return others.map(({ id }) => `arn:${options.partition ?? "aws"}:iam::*:role/${name(id)}`);
}

function accountOf(role: RoleDefinition, options: ExportOptions): string | undefined {
  const { backup, management, production } = options.accounts ?? {};
  if (role.livesIn === "management-account") return management;
  if (role.livesIn === "worker-account") return options.placement === "backup" ? backup : production;
  return role.livesIn === "production" ? production : backup;
}

function applianceArn(options: ExportOptions): string {
  if (options.applianceArn !== undefined) return options.applianceArn;
  const account = options.accounts?.backup ?? placeholders.backupAccount;
  const name = options.names?.appliance ?? findRole("appliance").defaultName;
  return `arn:${options.partition ?? "aws"}:iam::${account}:role/${name}`;
}

function warnings(role: RoleDefinition, options: ExportOptions): readonly string[] {
  const found: string[] = [];
  if (role.trusts.includes("appliance")) {
    if (options.accounts?.backup === undefined)
      found.push(`Replace ${placeholders.backupAccount} with the account that the appliance runs in.`);
    if (options.externalId === undefined)
      found.push(
        `Replace ${placeholders.externalId} with the external ID that the appliance shows for this account.`,
      );
  }
  if (role.id === "repository" && options.bucket === undefined)
    found.push(`Replace ${placeholders.bucket} with the repository's bucket.`);
  if (isPlannedRole(role))
    found.push(`No operation of this release uses ${role.defaultName}: its rights are planned.`);
  if (options.form === "compatible") found.push(compatibleWarning(role));
  return found;
}

function compatibleWarning(role: RoleDefinition): string {
  if (role.id === "worker") {
    return "The compatible form is wide: ssm:GetParameter on every resource reads every SecureString under the account's default key, and sqs:ReceiveMessage with sqs:DeleteMessage on every resource drains any application's queue. The scoped form is enough for Garrison.";
  }
  return `The compatible form lets ${role.defaultName} act on every resource of its account, not only on what Garrison made. The scoped form is enough for Garrison.`;
}

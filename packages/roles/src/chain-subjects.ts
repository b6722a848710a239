import type { ChainRequest } from "./chain-request.ts";
import { partitionValues } from "./partition-values.ts";
import { findRole, launchingRoleOf, roleCatalogue } from "./role-catalogue.ts";
import { parseRoleArn } from "./role-arn.ts";
import { attachedRole } from "./role-operations.ts";
import type { OperationDefinition } from "./operation-definition.ts";
import type { RoleDefinition, RoleId } from "./role-definition.ts";
import type { RoleValues } from "./role-values.ts";

/** One role of the chain with what it has to be able to do. */
export interface ChainSubject {
  readonly role: RoleDefinition;
  readonly roleArn: string;
  readonly accountId: string;
  readonly externalId: string | undefined;
  readonly operations: readonly OperationDefinition[];
  /** What `${name}` in the grants stands for, with one concrete Region. */
  readonly values: RoleValues;
  /** Where workers are launched, when it is known: their calls meet the policies of its VPC's endpoints. */
  readonly subnetId?: string;
  /** The worker role that this role passes to EC2; absent when it launches nothing. */
  readonly passes?: string;
}

/** The roles of the chain in the order in which a run uses them: the launching role, the deployment role, the worker. */
export function chainSubjects(
  request: ChainRequest,
  appliance: { readonly accountId: string },
): readonly ChainSubject[] {
  const plan = new ChainPlan(request, appliance.accountId);
  const own = plan.ownRole();
  if (own.id === "file-recovery-worker") return [plan.launcher(own, request.roleArn, own.operations)];
  if (own.id === "worker") return [plan.subject(own, request.roleArn, [...own.operations])];
  if (own.id === "repository") return [plan.subject(own, request.roleArn, own.operations)];
  if (own.id === "worker-deployment") {
    return [plan.launcher(own, request.roleArn, own.operations), ...plan.worker(request.roleArn)];
  }
  const launcherArn = request.placement === "production" ? request.roleArn : plan.deploymentRoleArn();
  const subjects = [plan.operationRole(own)];
  if (request.placement === "backup") {
    const deployment = findRole("worker-deployment");
    subjects.push(plan.launcher(deployment, launcherArn, deployment.operations));
  }
  subjects.push(...plan.worker(launcherArn), ...plan.repository());
  return subjects;
}

/** What is derived from one request; lives only while the subjects are made. */
class ChainPlan {
  readonly #request: ChainRequest;
  readonly #applianceAccount: string;

  constructor(request: ChainRequest, applianceAccount: string) {
    this.#request = request;
    this.#applianceAccount = applianceAccount;
  }

  ownRole(): RoleDefinition {
    const { roleId, roleArn, operations, names } = this.#request;
    if (roleId !== undefined) return findRole(roleId);
    const { roleName } = parseRoleArn(roleArn);
    const known = roleCatalogue.find((role) => (names?.[role.id] ?? role.defaultName) === roleName);
    return known ?? launchingRoleOf(operations[0] ?? "ec2.image-backup");
  }

  /** The production account's role holds the grants of all operations asked for, whichever role it was written as. */
  operationRole(own: RoleDefinition): ChainSubject {
    const { operations, placement, roleArn } = this.#request;
    const launching = operations.map(launchingRoleOf);
    const all = [...new Set([...launching, own].flatMap((role) => role.operations))];
    const asked = all.filter(({ id }) => operations.includes(id) || id === "role.check");
    if (placement === "backup") return this.subject(own, roleArn, asked);
    return this.launcher(own, roleArn, [...asked, ...all.filter(({ id }) => id === "worker.launch")]);
  }

  launcher(role: RoleDefinition, roleArn: string, operations: readonly OperationDefinition[]): ChainSubject {
    return { ...this.subject(role, roleArn, operations), passes: this.workerRoleArn(roleArn) };
  }

  worker(launcherArn: string): readonly ChainSubject[] {
    const role = findRole("worker");
    return [this.subject(role, this.workerRoleArn(launcherArn), role.operations)];
  }

  repository(): readonly ChainSubject[] {
    const { repositoryRoleArn } = this.#request;
    const role = findRole("repository");
    return repositoryRoleArn === undefined ? [] : [this.subject(role, repositoryRoleArn, role.operations)];
  }

  deploymentRoleArn(): string {
    if (this.#request.deploymentRoleArn !== undefined) return this.#request.deploymentRoleArn;
    const { partition } = parseRoleArn(this.#request.roleArn);
    return `arn:${partition}:iam::${this.#applianceAccount}:role/${this.#name("worker-deployment")}`;
  }

  workerRoleArn(launcherArn: string): string {
    if (this.#request.workerRoleArn !== undefined) return this.#request.workerRoleArn;
    if (attachedRole(this.ownRole()) === this.ownRole().id) return this.#request.roleArn;
    const { partition, accountId } = parseRoleArn(launcherArn);
    return `arn:${partition}:iam::${accountId}:role/${this.#name("worker")}`;
  }

  subject(role: RoleDefinition, roleArn: string, operations: readonly OperationDefinition[]): ChainSubject {
    const { accountId } = parseRoleArn(roleArn);
    const { externalId, backupExternalId, repositoryExternalId } = this.#request;
    const isOurs = accountId === this.#applianceAccount;
    const ofAccount = isOurs ? (backupExternalId ?? externalId) : externalId;
    return {
      role,
      roleArn,
      accountId,
      externalId: role.id === "repository" ? (repositoryExternalId ?? ofAccount) : ofAccount,
      operations,
      values: this.#values(roleArn),
      ...(this.#request.subnetId === undefined ? {} : { subnetId: this.#request.subnetId }),
    };
  }

  #values(roleArn: string): RoleValues {
    const { bucket, bucketPrefix, installation, passRoles, region, repositoryKeyArns, stagingBuckets } =
      this.#request;
    const { partition, accountId } = parseRoleArn(roleArn);
    const workerRoleArn = this.workerRoleArn(roleArn);
    const worker = parseRoleArn(workerRoleArn);
    const prefix = bucketPrefix?.replace(/^\/+|\/+$/g, "") ?? "";
    return {
      ...partitionValues(partition),
      account: accountId,
      region: [region],
      installation: installation ?? "*",
      roleArn,
      workerRoleArn: [workerRoleArn],
      workerProfileArn: [`arn:${partition}:iam::${worker.accountId}:instance-profile/${worker.roleName}`],
      passRoleArn: passRoles ?? [],
      assumedRoleArn: [],
      bucket: bucket === undefined ? [] : [bucket],
      bucketPrefix: prefix === "" ? "" : `${prefix}/`,
      stagingBucket: stagingBuckets ?? [],
      repositoryKeyArn: repositoryKeyArns ?? [],
      databaseSecretArn: [],
      backupVault: ["Default"],
    };
  }

  #name(id: RoleId): string {
    return this.#request.names?.[id] ?? findRole(id).defaultName;
  }
}

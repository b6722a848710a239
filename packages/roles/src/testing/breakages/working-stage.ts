import type { ChainReport } from "../../chain-report.ts";
import type { ChainRequest } from "../../chain-request.ts";
import { checkChain } from "../../check-chain.ts";
import { exportRole, type ExportOptions } from "../../export-role.ts";
import type { RoleId } from "../../role-definition.ts";
import {
  addRole,
  memoryPolicyReader,
  memoryProber,
  memoryWorld,
  type MemoryRole,
  type MemoryWorld,
} from "../memory-world.ts";

export const backup = "111111111111";
export const production = "222222222222";
export const subnetId = "subnet-0123456789abcdef0";
export const keyArn = `arn:aws:kms:eu-central-1:${backup}:key/11111111-2222-3333-4444-555555555555`;
export const bucketArn = "arn:aws:s3:::vault";
const roleArn = (account: string, name: string): string => `arn:aws:iam::${account}:role/${name}`;
export const applianceArn = roleArn(backup, "garrison-appliance");
export const launchingArn = roleArn(production, "garrison-backup-ec2");
export const workerArn = roleArn(production, "garrison-worker");
export const repositoryArn = roleArn(backup, "garrison-repository");

/** Two accounts of an organisation in which a backup would run, with every layer of IAM policies present and open. */
export interface WorkingStage {
  readonly world: MemoryWorld;
  readonly request: ChainRequest;
  readonly role: (id: RoleId) => MemoryRole;
  /** The documents of a role as they were written. */
  readonly options: ExportOptions;
}

const all = { Effect: "Allow", Action: "*", Resource: "*" } as const;
const everything = { Version: "2012-10-17", Statement: [all] };
export const organizationPath = ["r-root", "ou-root-workloads", production] as const;

export function workingStage(change: ExportOptions = {}): WorkingStage {
  const world = memoryWorld(`arn:aws:sts::${backup}:assumed-role/garrison-appliance/i-0123456789abcdef0`);
  const options: ExportOptions = {
    accounts: { backup, production },
    externalId: "garrison-7f3a",
    withWorkersInProduction: true,
    bucket: "vault",
    bucketPrefix: "main",
    stagingBuckets: ["staging"],
    repositoryKeyArns: [keyArn],
    ...change,
  };
  const made = new Map<RoleId, MemoryRole>();
  for (const id of ["appliance", "repository"] as const) {
    made.set(id, addRole(world, backup, exportRole(id, options)));
  }
  for (const id of ["backup-ec2", "worker"] as const) {
    made.set(id, addRole(world, production, exportRole(id, options)));
  }
  openLayers(world);
  const request: ChainRequest = {
    roleArn: launchingArn,
    operations: ["ec2.image-backup"],
    placement: "production",
    repositoryRoleArn: repositoryArn,
    externalId: "garrison-7f3a",
    region: "eu-central-1",
    installation: "7f3a09c1",
    subnetId,
    bucket: "vault",
    bucketPrefix: "main",
    stagingBuckets: ["staging"],
    repositoryKeyArns: [keyArn],
  };
  return { world, request, options, role: (id) => made.get(id)! };
}

function openLayers(world: MemoryWorld): void {
  const levels = (name: string, path: readonly string[]) =>
    path.map((orgIdentifier) => ({ orgIdentifier, policies: [{ name, policy: everything }] }));
  for (const [account, path] of [
    [production, organizationPath],
    [backup, ["r-root", "ou-root-platform", backup]],
  ] as const) {
    world.serviceControlPolicies.set(account, levels("FullAWSAccess", path));
    world.resourceControlPolicies.set(account, levels("RCPFullAWSAccess", path));
  }
  const Principal = { AWS: `arn:aws:iam::${backup}:root` };
  const delegating = { Sid: "Account", Effect: "Allow", Principal, Action: "kms:*", Resource: "*" };
  world.resourcePolicies.set(keyArn, { Version: "2012-10-17", Statement: [delegating] });
  const open = { Version: "2012-10-17", Statement: [{ ...all, Principal: "*" }] };
  const services = ["ec2messages", "s3", "sqs", "ssm", "ssmmessages"];
  world.endpointPolicies.set(
    subnetId,
    Object.fromEntries(services.map((service) => [service, { name: `vpce-${service}`, policy: open }])),
  );
}

/** As the appliance with the read rights of operators of both accounts and of the organisation, or without them. */
export function checkStage(
  { request, world }: Pick<WorkingStage, "request" | "world">,
  options: { readonly withReadRights: boolean } = { withReadRights: true },
): Promise<ChainReport> {
  const reader = options.withReadRights ? { policyReader: memoryPolicyReader(world) } : {};
  return checkChain({ prober: memoryProber(world), ...reader }, request, {
    signal: new AbortController().signal,
  });
}

import { GarrisonError } from "@garrison/core/garrison-error";
import type { ChainRequest } from "@garrison/roles/chain-request";
import { chainSubjects, type ChainSubject } from "@garrison/roles/chain-subjects";
import { roleValues, type ExportOptions } from "@garrison/roles/export-role";
import type { CallerFacts } from "@garrison/roles/prober";
import { applianceSubject } from "@garrison/roles/repair/appliance-subject";
import type { WantedForm } from "@garrison/roles/repair/wanted-form";
import { parseRoleArn } from "@garrison/roles/role-arn";
import { findRole, roleCatalogue } from "@garrison/roles/role-catalogue";
import type { RoleDefinition } from "@garrison/roles/role-definition";
import type { CliContext } from "../cli-context.ts";
import { exportOptions, type RoleFlags } from "./role-options.ts";

export interface TargetFlags extends RoleFlags {
  readonly as?: string;
  readonly region?: string;
  /** Where workers are launched: the endpoints of its VPC are judged too, as by `roles check`. */
  readonly subnet?: string;
}

/** What one role has to be, and for whom: the same for a repair and for the check that follows it. */
export interface RepairTarget {
  readonly region: string;
  readonly subject: ChainSubject;
  readonly caller: CallerFacts;
  readonly wanted: WantedForm;
  /** The chain as the appliance walks it; absent for the appliance's own role, which is who walks it. */
  readonly request?: ChainRequest;
}

/** Reads what the role is for from its name and the flags. Throws `usage` for what it can't be told. */
export function repairTarget(roleArn: string, flags: TargetFlags, context: CliContext): RepairTarget {
  const { partition } = parseRoleArn(roleArn);
  const options = { ...exportOptions(flags), partition };
  const role = roleOf(roleArn, flags.as, options);
  const region = regionOf(flags, context);
  const caller = applianceOf(role, roleArn, options);
  const wanted = { form: options.form ?? "scoped", values: valuesIn(role, roleArn, options) };
  if (role.id === "appliance") {
    const subject = applianceSubject(roleArn, { ...wanted.values, region: [region] });
    return { region, subject, caller, wanted };
  }
  const request = chainRequest({ role, roleArn, region, subnet: flags.subnet }, caller, options);
  const subject = chainSubjects(request, caller).find((one) => one.roleArn === roleArn);
  if (subject === undefined) throw new RangeError(`${roleArn} is in no chain of its own`);
  return { region, subject, caller, wanted, request };
}

function roleOf(roleArn: string, as: string | undefined, options: ExportOptions): RoleDefinition {
  if (as !== undefined) return findRole(as);
  const { roleName } = parseRoleArn(roleArn);
  const known = roleCatalogue.find((role) => (options.names?.[role.id] ?? role.defaultName) === roleName);
  if (known !== undefined) return known;
  throw new GarrisonError("usage", `${roleName} is no name of the catalogue: say which role it is with --as`);
}

function regionOf({ region, regions }: TargetFlags, { environment }: CliContext): string {
  const found = region ?? regions?.[0] ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
  if (found !== undefined) return found;
  throw new GarrisonError("usage", "no Region: set AWS_REGION or give --region");
}

/** Whom the role is to trust is the operator's to say: never read from the role that may be wrong. */
function applianceOf(role: RoleDefinition, roleArn: string, options: ExportOptions): CallerFacts {
  const { applianceArn, accounts, names } = options;
  const own = role.id === "appliance" ? roleArn : applianceArn;
  const { accountId, partition } = parseRoleArn(roleArn);
  if (own !== undefined) return { arn: own, accountId: own.split(":")[4] ?? accountId };
  if (accounts?.backup === undefined) {
    throw new GarrisonError("usage", `${roleArn} trusts the appliance: give --backup-account or --appliance`);
  }
  const name = names?.appliance ?? findRole("appliance").defaultName;
  return { arn: `arn:${partition}:iam::${accounts.backup}:role/${name}`, accountId: accounts.backup };
}

/** The values in the account that the role is in, whatever that account is called otherwise. */
function valuesIn(role: RoleDefinition, roleArn: string, options: ExportOptions) {
  const { accountId } = parseRoleArn(roleArn);
  const accounts = { backup: accountId, production: accountId };
  return { ...roleValues(role, { ...options, accounts }), roleArn };
}

interface Place {
  readonly role: RoleDefinition;
  readonly roleArn: string;
  readonly region: string;
  readonly subnet: string | undefined;
}

function chainRequest(
  { region, role, roleArn, subnet }: Place,
  caller: CallerFacts,
  options: ExportOptions,
): ChainRequest {
  const optional = {
    externalId: options.externalId,
    subnetId: subnet,
    installation: options.installation,
    passRoles: options.passRoles,
    bucket: options.bucket,
    bucketPrefix: options.bucketPrefix,
    stagingBuckets: options.stagingBuckets,
    repositoryKeyArns: options.repositoryKeyArns,
  };
  return {
    roleArn,
    roleId: role.id,
    operations: role.serves,
    placement: options.placement ?? "production",
    region,
    applianceArn: caller.arn,
    ...(options.names === undefined ? {} : { names: options.names }),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { openPolicyReader } from "@garrison/aws/role-policy-reader";
import { openProber } from "@garrison/aws/role-prober";
import { sessionPolicySizes } from "@garrison/aws/session-policy-sizes";
import { GarrisonError } from "@garrison/core/garrison-error";
import { checkChain } from "@garrison/roles/check-chain";
import type { ChainRequest, SessionPolicySize } from "@garrison/roles/chain-request";
import { findRole, operationIds, roleCatalogue } from "@garrison/roles/role-catalogue";
import { parseRoleArn } from "@garrison/roles/role-arn";
import type { RoleId } from "@garrison/roles/role-definition";
import type { CliContext } from "../cli-context.ts";
import { oneOf, roleNames } from "./role-options.ts";
import { checkReportFlags, writeReport, type ReportFlags } from "./write-report.ts";

export interface CheckFlags extends ReportFlags {
  readonly all?: true;
  readonly least?: true;
  readonly accounts?: readonly string[];
  readonly role?: readonly string[];
  readonly data?: string;
  readonly subnet?: string;
  readonly operation?: readonly string[];
  readonly placement: string;
  readonly as?: string;
  readonly workerRole?: string;
  readonly deploymentRole?: string;
  readonly repositoryRole?: string;
  readonly externalId?: string;
  readonly backupExternalId?: string;
  readonly region?: string;
  readonly installation?: string;
  readonly name?: readonly string[];
  readonly passRoles?: readonly string[];
  readonly bucket?: string;
  readonly bucketPrefix?: string;
  readonly stagingBucket?: readonly string[];
  readonly repositoryKey?: readonly string[];
  readonly operatorProfile?: readonly string[];
  readonly readPolicies?: true;
}

/** Walks the chain as whoever the ambient AWS credentials are (the appliance), and exits 0, 1 or 3. */
export async function checkRole(roleArn: string, flags: CheckFlags, context: CliContext): Promise<void> {
  checkReportFlags(flags);
  const request = chainRequest(roleArn, flags, context);
  const ambient = openAwsClients({ region: request.region });
  const operators = operatorsOf(flags, { region: request.region, ambient });
  const prober = openProber(ambient);
  try {
    const policyReader = operators.length === 0 ? {} : { policyReader: openPolicyReader(operators) };
    const report = await checkChain({ prober, ...policyReader }, request, { signal: context.signal });
    await writeReport(report, flags, context);
    const lacksGrant = report.findings.some(({ link, verdict }) => link === "grants" && verdict === "failed");
    if (lacksGrant) hintAtScope(flags, context);
  } finally {
    prober.close();
    for (const clients of [ambient, ...operators]) clients.close();
  }
}

/** Scoped documents name one installation; without its id they are tried with one that they may rightly refuse. */
function hintAtScope(flags: CheckFlags, { stderr }: CliContext): void {
  if (flags.installation !== undefined) return;
  stderr.write(
    "garrison: no --installation was given: roles that are limited to one refuse what was tried. " +
      "`garrison serve` shows the appliance's.\n",
  );
}

/** Who may read: the profiles that are named, and the current credentials if so asked. */
export function operatorsOf(
  flags: CheckFlags,
  own: { readonly region: string; readonly ambient: AwsClients },
): readonly AwsClients[] {
  const profiles = (flags.operatorProfile ?? []).map((profile) =>
    openAwsClients({ region: own.region, profile }),
  );
  return flags.readPolicies === true ? [own.ambient, ...profiles] : profiles;
}

function chainRequest(roleArn: string, flags: CheckFlags, context: CliContext): ChainRequest {
  refuseAppliance(roleArn, flags);
  refuseUnknownOperations(flags.operation ?? []);
  const names = roleNames(flags.name ?? []);
  const region = regionOf(flags, context);
  const optional = {
    roleId: flags.as,
    workerRoleArn: flags.workerRole,
    deploymentRoleArn: flags.deploymentRole,
    repositoryRoleArn: flags.repositoryRole,
    externalId: flags.externalId,
    backupExternalId: flags.backupExternalId,
    installation: flags.installation,
    subnetId: flags.subnet,
    withExcess: flags.least,
    passRoles: flags.passRoles,
    bucket: flags.bucket,
    bucketPrefix: flags.bucketPrefix,
    stagingBuckets: flags.stagingBucket,
    repositoryKeyArns: flags.repositoryKey,
  };
  return {
    roleArn,
    operations: flags.operation ?? operationsOf(roleArn, names),
    placement: oneOf(flags.placement, ["production", "backup"], "--placement"),
    region,
    names,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    sessionPolicies: lentPolicies(roleArn, flags),
  };
}

/** What the tasks on the named repository would be narrowed with. */
function lentPolicies(roleArn: string, flags: CheckFlags): readonly SessionPolicySize[] {
  if (flags.bucket === undefined) return [];
  const { accountId, partition } = parseRoleArn(roleArn);
  const [bucketKeyArn] = flags.repositoryKey ?? [];
  const prefix = flags.bucketPrefix?.replace(/^\/+|\/+$/g, "") ?? "";
  const key = bucketKeyArn === undefined ? {} : { bucketKeyArn };
  return sessionPolicySizes({ partition, bucket: flags.bucket, prefix, domain: accountId, ...key });
}

export function regionOf(flags: Pick<CheckFlags, "region">, { environment }: CliContext): string {
  const region = flags.region ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
  if (region !== undefined) return region;
  throw new GarrisonError("usage", "no Region: set AWS_REGION or give --region");
}

/** The appliance's role is who asks: it can't assume itself, and need not. */
function refuseAppliance(roleArn: string, flags: CheckFlags): void {
  const { roleName } = parseRoleArn(roleArn);
  const appliance = roleNames(flags.name ?? []).appliance ?? findRole("appliance").defaultName;
  if (flags.as === undefined ? roleName !== appliance : flags.as !== "appliance") return;
  throw new GarrisonError(
    "usage",
    `${roleArn} is the appliance's own role, as which the check asks: give a role that it works with`,
  );
}

function refuseUnknownOperations(given: readonly string[]): void {
  for (const id of given) oneOf(id, operationIds(), "--operation");
}

/** Without `--operation`: everything that the role of this name serves. */
function operationsOf(roleArn: string, names: Readonly<Partial<Record<RoleId, string>>>): readonly string[] {
  const { roleName } = parseRoleArn(roleArn);
  const role = roleCatalogue.find(({ defaultName, id }) => (names[id] ?? defaultName) === roleName);
  if (role !== undefined) return role.serves.length > 0 ? role.serves : role.willServe;
  throw new GarrisonError(
    "usage",
    `${roleName} is no name of the catalogue: say what it is for with --operation`,
  );
}

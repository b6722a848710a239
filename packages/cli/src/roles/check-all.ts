import { readFile } from "node:fs/promises";
import type { Account } from "@garrison/api/schemas/accounts";
import { openAwsClients } from "@garrison/aws/aws-clients";
import { openCallPace } from "@garrison/aws/call-pace";
import { openPolicyReader } from "@garrison/aws/role-policy-reader";
import { openProber } from "@garrison/aws/role-prober";
import { GarrisonError } from "@garrison/core/garrison-error";
import {
  checkOrganization,
  type AccountTarget,
  type OrganizationRequest,
} from "@garrison/roles/check-organization";
import { findRole } from "@garrison/roles/role-catalogue";
import { rolesById } from "@garrison/roles/roles-by-id";
import { connectAppliance } from "../appliance/connect-appliance.ts";
import { listAll } from "../appliance/list-all.ts";
import type { CliContext } from "../cli-context.ts";
import { operatorsOf, regionOf, type CheckFlags } from "./check-role.ts";
import { oneOf, roleNames } from "./role-options.ts";
import { checkReportFlags, writeReport } from "./write-report.ts";

/** Checks every role of every account, each by itself, and exits 0, 1 or 3. */
export async function checkAll(flags: CheckFlags, context: CliContext): Promise<void> {
  checkReportFlags(flags);
  const accounts = await findAccounts(flags, context);
  const region = regionOf(flags, context);
  const ambient = openAwsClients({ region, attempts: 1 });
  // Who reads policies repeats calls as usual; only the check's own calls are paced.
  const reading = openAwsClients({ region });
  const operators = operatorsOf(flags, { region, ambient: reading });
  const prober = openProber(ambient, openCallPace(context));
  try {
    const report = await checkOrganization(
      {
        clock: context.clock,
        prober,
        ...(operators.length === 0 ? {} : { policyReader: openPolicyReader(operators) }),
        onProgress: showProgress(context),
      },
      organizationRequest(accounts, region, flags),
      { signal: context.signal },
    );
    await writeReport(report, flags, context);
  } finally {
    prober.close();
    for (const clients of [ambient, reading, ...operators]) clients.close();
  }
}

function organizationRequest(
  accounts: readonly AccountTarget[],
  region: string,
  flags: CheckFlags,
): OrganizationRequest {
  const optional = {
    roleIds: flags.role?.map((id) => findRole(id).id),
    installation: flags.installation,
    externalId: flags.externalId,
    backupExternalId: flags.backupExternalId,
    passRoles: flags.passRoles,
  };
  return {
    accounts,
    region,
    placement: oneOf(flags.placement, ["production", "backup"], "--placement"),
    names: roleNames(flags.name ?? []),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

/** Those given, by id or in a file; otherwise those that the appliance knows, with the roles that it knows of them. */
async function findAccounts(flags: CheckFlags, context: CliContext): Promise<readonly AccountTarget[]> {
  if (flags.accounts === undefined) return readAppliance(flags, context);
  const targets: AccountTarget[] = [];
  for (const given of flags.accounts) {
    if (/^\d+$/.test(given)) targets.push({ accountId: accountId(given, "--accounts") });
    else targets.push(...(await readAccountFile(given, context)));
  }
  const unique = new Map(targets.map((target) => [target.accountId, target]));
  if (unique.size > 0) return [...unique.values()];
  throw new GarrisonError("usage", "--accounts names no account");
}

async function readAppliance(flags: CheckFlags, context: CliContext): Promise<readonly AccountTarget[]> {
  const api = await connectAppliance(flags, context);
  const known = await listAll((cursor) =>
    api.call(
      "listAccounts",
      { query: { limit: 500, ...(cursor === undefined ? {} : { cursor }) } },
      context.signal,
    ),
  );
  if (known.length > 0) return known.map(toTarget);
  throw new GarrisonError("usage", "the appliance knows no account yet: add some, or give --accounts");
}

function toTarget({ externalId, id, name, region, roles }: Account): AccountTarget {
  return {
    accountId: id,
    name,
    region,
    roles: rolesById(roles),
    ...(externalId === undefined ? {} : { externalId }),
  };
}

/** A line an account: its id, then what it is called. Empty lines and what follows a `#` don't count. */
async function readAccountFile(file: string, { signal }: CliContext): Promise<readonly AccountTarget[]> {
  let text: string;
  try {
    text = await readFile(file, { encoding: "utf8", signal });
  } catch (error) {
    throw new GarrisonError(
      "usage",
      `--accounts ${file} is neither an account id nor a file that can be read`,
      {
        cause: error,
      },
    );
  }
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim());
  return lines.flatMap((line, place) => {
    if (line === "") return [];
    const [id = "", ...words] = line.split(/[\s,;]+/);
    const name = words.join(" ");
    return [{ accountId: accountId(id, `${file}:${place + 1}`), ...(name === "" ? {} : { name }) }];
  });
}

function accountId(id: string, where: string): string {
  if (/^\d{12}$/.test(id)) return id;
  throw new GarrisonError("usage", `${where}: ${id} is not an account id (12 digits)`);
}

/** On a terminal one line that is written over; elsewhere a line for each tenth. */
function showProgress({ stderr }: CliContext) {
  let told = 0;
  return ({ checked, total }: { readonly checked: number; readonly total: number }): void => {
    const isLast = checked === total;
    if (stderr.isTTY) {
      stderr.write(`\r${checked} of ${total} roles checked${isLast ? "\n" : ""}`);
      return;
    }
    const tenth = Math.floor((checked * 10) / total);
    if (tenth === told) return;
    told = tenth;
    stderr.write(`${checked} of ${total} roles checked\n`);
  };
}

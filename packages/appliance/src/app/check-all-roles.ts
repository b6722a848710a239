import type { Account } from "@garrison/api/schemas/accounts";
import type { organizationCheckSchema } from "@garrison/api/schemas/roles";
import { openAwsClients } from "@garrison/aws/aws-clients";
import { openCallPace } from "@garrison/aws/call-pace";
import { openProber } from "@garrison/aws/role-prober";
import {
  checkOrganization,
  type AccountTarget,
  type OrganizationReport,
} from "@garrison/roles/check-organization";
import { rolesById } from "@garrison/roles/roles-by-id";
import type { z } from "zod";
import { allAccounts, readAccount } from "../store/accounts.ts";
import type { AppCall, AppDependencies } from "./app-dependencies.ts";

/** Every role that the appliance works with, in the accounts asked for, each by itself. */
export async function checkAllRoles(
  dependencies: AppDependencies,
  { accountIds, placement, signal }: z.output<typeof organizationCheckSchema> & AppCall,
): Promise<OrganizationReport> {
  const { access, clock, installation, queries, random } = dependencies;
  const accounts =
    accountIds === undefined ? await allAccounts(queries) : await readAccounts(dependencies, accountIds);
  // The pace repeats what is refused: the clients must not.
  const appliance = openAwsClients({ ...access.appliance.options, attempts: 1 });
  const prober = openProber(appliance, openCallPace({ clock, random }));
  const region = access.appliance.options.region;
  try {
    const request = { accounts: accounts.map(toTarget), placement, region, installation };
    return await checkOrganization({ clock, prober }, request, { signal });
  } finally {
    prober.close();
    appliance.close();
  }
}

async function readAccounts(
  { queries }: AppDependencies,
  ids: readonly string[],
): Promise<readonly Account[]> {
  const found: Account[] = [];
  for (const id of new Set(ids)) found.push(await readAccount(queries, id));
  return found;
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

import { GarrisonError } from "@garrison/core/garrison-error";
import { exportRole, placeholders, type ExportOptions } from "../export-role.ts";
import { findRole } from "../role-catalogue.ts";
import type { RoleId } from "../role-definition.ts";
import { formatCloudFormation } from "./format-cloudformation.ts";

/**
 * One template for all accounts of an organisation. What may differ between accounts, or isn't known yet, is a parameter of
 * the stack set; what was given becomes its default. The account is always the one that the stack is in.
 */
export function formatStackSet(ids: readonly RoleId[], options: ExportOptions): string {
  for (const id of ids) refuseOneAccountRole(id);
  const { accounts, applianceArn, externalId, installation, names, ...rest } = options;
  const roles = ids.map((id) =>
    exportRole(id, {
      ...rest,
      isTemplate: true,
      names: { ...names, appliance: placeholders.applianceRole },
    }),
  );
  const appliance = applianceOf(applianceArn);
  const defaults = {
    [placeholders.backupAccount]: accounts?.backup ?? appliance?.account,
    [placeholders.applianceRole]: appliance?.name ?? names?.appliance,
    [placeholders.externalId]: externalId,
    [placeholders.installation]: installation,
  };
  const known = Object.entries(defaults).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return formatCloudFormation(roles, { defaults: Object.fromEntries(known) });
}

function refuseOneAccountRole(id: RoleId): void {
  const { livesIn } = findRole(id);
  if (livesIn === "production" || livesIn === "worker-account") return;
  throw new GarrisonError(
    "usage",
    `the role ${id} is needed once, in one account: export it with --format cloudformation`,
  );
}

function applianceOf(
  arn: string | undefined,
): { readonly account: string; readonly name: string } | undefined {
  if (arn === undefined) return undefined;
  const [, account, name] = /^arn:[\w-]+:iam::(\d{12}):role\/([\w+=,.@-]{1,64})$/.exec(arn) ?? [];
  if (account !== undefined && name !== undefined) return { account, name };
  throw new GarrisonError(
    "usage",
    `a stack set names the appliance by its role, without path; ${arn} is none`,
  );
}

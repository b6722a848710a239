import type { Command } from "commander";
import { exportRole, type ExportOptions, type RoleDocuments } from "@garrison/roles/export-role";
import { formatCloudFormation } from "@garrison/roles/formats/format-cloudformation";
import { formatCommands } from "@garrison/roles/formats/format-commands";
import { formatStackSet } from "@garrison/roles/formats/format-stack-set";
import { formatTerraform } from "@garrison/roles/formats/format-terraform";
import { formatTerraformJson } from "@garrison/roles/formats/format-terraform-json";
import { findRole } from "@garrison/roles/role-catalogue";
import type { CliContext } from "../cli-context.ts";
import { addRoleOptions, exportOptions, oneOf, type RoleFlags } from "./role-options.ts";

const formats = {
  json: (roles: readonly RoleDocuments[]) => `${JSON.stringify({ roles }, null, 2)}\n`,
  cloudformation: formatCloudFormation,
  terraform: formatTerraform,
  "terraform-json": formatTerraformJson,
  cli: formatCommands,
} as const;
const formatNames = ["json", "cloudformation", "stackset", "terraform", "terraform-json", "cli"] as const;

type ExportFlags = RoleFlags & { readonly format: string };

export function registerExport(roles: Command, context: CliContext): void {
  const command = roles
    .command("export")
    .description("write the IAM documents of roles; roles of one template live in one account")
    .argument("<role...>", "roles of the catalogue")
    .option(
      "--format <format>",
      "json, cloudformation, stackset (CloudFormation for the accounts of an organisation), terraform, terraform-json or cli (a shell script)",
      "json",
    )
    .option("--json", "the same as --format json");
  addRoleOptions(command).action((ids: readonly string[], flags: ExportFlags) =>
    exportRoles(ids, flags, context),
  );
}

function exportRoles(ids: readonly string[], flags: ExportFlags, { stderr, stdout }: CliContext): void {
  const format = oneOf(flags.format, formatNames, "--format");
  const isTemplate = format !== "json" && format !== "cli";
  const options: ExportOptions = { ...exportOptions(flags), isTemplate };
  const roleIds = ids.map((id) => findRole(id).id);
  const documents = roleIds.map((id) => exportRole(id, options));
  stdout.write(format === "stackset" ? formatStackSet(roleIds, options) : formats[format](documents));
  const warnings = new Set(documents.flatMap((document) => document.warnings));
  for (const warning of warnings) {
    // A template asks for what nobody gave: there is nothing to replace in it.
    if (!isTemplate || !warning.startsWith("Replace ")) stderr.write(`garrison: ${warning}\n`);
  }
}

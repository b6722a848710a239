import type { RoleDocuments } from "../export-role.ts";
import { mapTexts } from "./template-parameters.ts";
import { terraformBlocks, terraformTemplate, type TerraformValue } from "./terraform-blocks.ts";

/** The same in Terraform's JSON syntax, for programs that write configurations: save it as `garrison-roles.tf.json`. */
export function formatTerraformJson(roles: readonly RoleDocuments[]): string {
  const file: Record<string, object> = {
    terraform: { required_providers: { aws: { source: "hashicorp/aws" } } },
  };
  for (const { body, labels, type } of terraformBlocks(roles)) {
    let place = (file[type] ??= {}) as Record<string, object>;
    for (const label of labels.slice(0, -1)) place = (place[label] ??= {}) as Record<string, object>;
    place[labels.at(-1) ?? type] = mapBody(body);
  }
  return `${JSON.stringify(file, null, 2)}\n`;
}

function mapBody(body: Readonly<Record<string, TerraformValue>>): object {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, formatValue(name, value)]));
}

function formatValue(name: string, value: TerraformValue): string {
  if (value.kind === "text") return terraformTemplate(value.text);
  // A variable's type is a keyword; everywhere else an address is an expression.
  if (value.kind === "address") return name === "type" ? value.address : `\${${value.address}}`;
  return JSON.stringify(mapTexts(value.document, terraformTemplate));
}

import type { RoleDocuments } from "../export-role.ts";
import {
  terraformBlocks,
  terraformTemplate,
  type TerraformBlock,
  type TerraformValue,
} from "./terraform-blocks.ts";

/** Terraform's native syntax, laid out as `terraform fmt` would: save it as `garrison-roles.tf`. */
export function formatTerraform(roles: readonly RoleDocuments[]): string {
  const provider = [
    "terraform {",
    "  required_providers {",
    "    aws = {",
    `      source = "hashicorp/aws"`,
    "    }",
  ];
  const head = [...provider, "  }", "}"].join("\n");
  return `${[head, ...terraformBlocks(roles).map(formatBlock)].join("\n\n")}\n`;
}

function formatBlock({ body, labels, type }: TerraformBlock): string {
  const head = [type, ...labels.map((label) => `"${label}"`)].join(" ");
  const entries = Object.entries(body).map(([name, value]) => [name, formatValue(value)] as const);
  return entries.length === 0 ? `${head} {}` : `${head} {\n${indent(formatEntries(entries))}\n}`;
}

function formatValue(value: TerraformValue): string {
  if (value.kind === "address") return value.address;
  if (value.kind === "text") return quote(value.text);
  return `jsonencode(${formatExpression(value.document)})`;
}

function formatExpression(value: unknown): string {
  if (Array.isArray(value)) return formatList(value);
  if (typeof value !== "object" || value === null)
    return typeof value === "string" ? quote(value) : String(value);
  const entries = Object.entries(value).map(
    ([key, inner]) => [/^[A-Za-z]\w*$/.test(key) ? key : quote(key), formatExpression(inner)] as const,
  );
  return entries.length === 0 ? "{}" : `{\n${indent(formatEntries(entries))}\n}`;
}

function formatList(items: readonly unknown[]): string {
  if (items.length === 0) return "[]";
  return `[\n${items.map((item) => `${indent(formatExpression(item))},\n`).join("")}]`;
}

type Entry = readonly [string, string];

/** Neighbours that take one line each have their equals signs below each other; one that takes more stands alone. */
function formatEntries(entries: readonly Entry[]): string {
  const runs: Entry[][] = [];
  for (const entry of entries) {
    const last = runs.at(-1);
    const joins = last !== undefined && isOneLine(entry) && last.every(isOneLine);
    if (joins) last.push(entry);
    else runs.push([entry]);
  }
  return runs.map(formatRun).join("\n");
}

function formatRun(run: readonly Entry[]): string {
  const width = Math.max(...run.map(([key]) => key.length));
  return run.map(([key, value]) => `${key.padEnd(width)} = ${value}`).join("\n");
}

function isOneLine([, value]: Entry): boolean {
  return !value.includes("\n");
}

function quote(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  const template = terraformTemplate(escaped);
  // A template that is one reference and nothing else is that reference.
  return /^\$\{([\w.]+)\}$/.exec(template)?.[1] ?? `"${template}"`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}

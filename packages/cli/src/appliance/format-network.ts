import type { NetworkFinding } from "@garrison/roles/network/network-finding";
import { formatTable } from "../repository/format-points.ts";

/** What the network lacks, each with the smallest thing to do; empty when it was not read. */
export function formatNetwork(findings: readonly NetworkFinding[]): string {
  if (findings.length === 0) return "";
  const rows = findings.map(({ check, verdict, sentence }) => [check, verdict, sentence]);
  const fixes = findings.flatMap(({ check, fix }) => (fix === undefined ? [] : [`${check}: ${fix}`]));
  const table = formatTable([["NETWORK", "VERDICT", "WHAT IS KNOWN"], ...rows]);
  return `${table}${fixes.map((fix) => `  ${fix}\n`).join("")}\n`;
}

import type { Command } from "commander";
import { comparePriorArt } from "@garrison/roles/prior-art/compare-prior-art";
import { formatComparison } from "@garrison/roles/prior-art/format-comparison";
import type { CliContext } from "../cli-context.ts";
import { oneOf } from "./role-options.ts";

export function registerCompare(roles: Command, context: CliContext): void {
  roles
    .command("compare")
    .description("what the roles ask for against what the nearest product publishes, and why it is less")
    .argument("<what>", "prior-art")
    .option("--json", "print one object")
    .action((what: string, flags: { readonly json?: true }) => {
      oneOf(what, ["prior-art"], "roles compare");
      const comparison = comparePriorArt();
      context.stdout.write(
        flags.json === true ? `${JSON.stringify(comparison, null, 2)}\n` : formatComparison(comparison),
      );
    });
}

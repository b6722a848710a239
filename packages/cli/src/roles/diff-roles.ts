import type { Command } from "commander";
import { diffCatalogues } from "@garrison/roles/releases/diff-catalogues";
import { formatDiff } from "@garrison/roles/releases/format-diff";
import { readSnapshot } from "@garrison/roles/releases/read-snapshot";
import type { CliContext } from "../cli-context.ts";

export function registerDiff(roles: Command, context: CliContext): void {
  roles
    .command("diff")
    .description("what a release adds to the rights of the roles, and what it drops")
    .argument("<version>", "a released version")
    .argument("[version]", "another one, or HEAD: the version that is running", "HEAD")
    .option("--json", "print one object")
    .action((from: string, to: string, flags: { readonly json?: true }) => {
      const compared = [readSnapshot(from), readSnapshot(to)] as const;
      const diff = diffCatalogues(...compared);
      context.stdout.write(
        flags.json === true ? `${JSON.stringify(diff, null, 2)}\n` : formatDiff(diff, compared),
      );
    });
}

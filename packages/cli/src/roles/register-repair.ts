import type { Command } from "commander";
import type { ConnectionFlags } from "../appliance/connect-appliance.ts";
import type { CliContext } from "../cli-context.ts";
import { listDrift } from "./list-drift.ts";
import { repairRole, type RepairFlags } from "./repair-role.ts";
import { addRoleOptions } from "./role-options.ts";
import { undoRepair, type UndoFlags } from "./undo-repair.ts";

/** What `create` and `repair` share: both show, ask, write, and check again. */
export function addWritingOptions(command: Command): Command {
  return command
    .option("--undo-file <file>", "where to write what takes it back (default: a new file here)")
    .option("--operator-profile <profile...>", "AWS profiles that may read the organisation's policies")
    .option("--appliance-profile <profile>", "an AWS profile that is the appliance: check as it afterwards")
    .option("--wait <seconds>", "how long to wait until the changes are felt", "90")
    .option("--yes", "don't ask")
    .option("--json", "print one object");
}

export function registerRepair(roles: Command, context: CliContext): void {
  const repair = roles
    .command("repair")
    .description(
      "mend a role with your own current AWS credentials: its trust, its instance profile and its garrison- policies; shows the difference and asks first, and prints the patch for what others own",
    )
    .argument("<arn>", "the role")
    .option("--as <role>", "which role of the catalogue the ARN is (default: told by its name)")
    .option(
      "--subnet <id>",
      "where workers are launched: with read rights, its VPC's endpoints are judged too",
    )
    .option("--region <region>", "where its rights are tried (default: the first of --regions, AWS_REGION)");
  addRoleOptions(addWritingOptions(repair))
    .addHelpText(
      "after",
      "\nExit code: 0 the role is right, 1 something is left to do or was not agreed to, 2 usage.",
    )
    .action((arn: string, flags: RepairFlags) => repairRole(arn, flags, context));
  roles
    .command("undo")
    .description("take back a create or a repair, exactly; refuses a role that was changed since")
    .argument("<file>", "the undo file that was written")
    .option("--force", "put back what was changed, though the role was changed since")
    .option("--yes", "don't ask")
    .option("--json", "print one object")
    .action((file: string, flags: UndoFlags) => undoRepair(file, flags, context));
  roles
    .command("drift")
    .description("what the appliance found changed in roles since their last good check, and by whom")
    .argument("[arn]", "one role (default: all)")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((arn: string | undefined, flags: ConnectionFlags) => listDrift(arn, flags, context));
}

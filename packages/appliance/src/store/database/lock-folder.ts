import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GarrisonError } from "@garrison/core/garrison-error";

/**
 * Two appliances on one embedded database would write over each other, so the first puts its process id beside it. The
 * id of a process that is gone (a kill -9) doesn't hold anybody up. Returns what releases the folder.
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, "appliance.pid");
  const holder = readHolder(file);
  if (holder !== undefined && holder !== process.pid && isAppliance(holder)) {
    throw new GarrisonError(
      "folder-in-use",
      `the folder ${folder} is used by the appliance with process id ${holder}`,
    );
  }
  writeFileSync(file, `${process.pid}\n`, { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

function readHolder(file: string): number | undefined {
  try {
    const id = Number(readFileSync(file, "utf8"));
    return Number.isInteger(id) && id > 0 ? id : undefined;
  } catch {
    return undefined;
  }
}

function isAppliance(processId: number): boolean {
  try {
    process.kill(processId, 0);
    // A process id is given out again after a restart of the machine: it has to be an appliance's.
    return readFileSync(`/proc/${processId}/cmdline`, "utf8").includes("appliance");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

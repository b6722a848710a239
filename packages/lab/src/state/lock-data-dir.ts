import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GarrisonError } from "@garrison/core/garrison-error";

/**
 * Two labs on one folder would write over each other's journal, so the first puts its process id there. The id of a
 * process that is gone (a kill -9) doesn't hold anybody up. Returns what releases the folder.
 */
export function lockDataDir(dataDir: string): () => void {
  const file = join(dataDir, "lab.pid");
  mkdirSync(dataDir, { recursive: true });
  const holder = readHolder(file);
  if (holder !== undefined && holder !== process.pid && isAlive(holder)) {
    throw new GarrisonError(
      "lab-folder-in-use",
      `the folder ${dataDir} is used by the lab with process id ${holder}`,
    );
  }
  writeFileSync(file, `${process.pid}\n`);
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

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    // A process id is given out again after a restart of the machine: it has to be a lab's.
    return readFileSync(`/proc/${processId}/cmdline`, "utf8").includes("lab");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

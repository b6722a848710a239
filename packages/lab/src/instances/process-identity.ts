import { readdirSync, readFileSync } from "node:fs";

/** A process that can be told from a later one with the same number: by when it started. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of `/proc/<pid>/stat`: clock ticks since the system's boot. */
  readonly startTicks: string;
}

/** Who has that number now; none when nobody has, or only a zombie. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name, in parentheses, may hold blanks and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = "", startTicks = ""] = [fields[0], fields[19]];
    return state === "Z" ? undefined : { pid, startTicks };
  } catch {
    return undefined;
  }
}

export function isSameProcess(known: ProcessIdentity): boolean {
  return identifyProcess(known.pid)?.startTicks === known.startTicks;
}

/** Kills the process, or with `group` its whole group, if it still is the one we know. */
export function killProcess(known: ProcessIdentity, target: "process" | "group"): void {
  if (!isSameProcess(known)) return;
  try {
    process.kill(target === "group" ? -known.pid : known.pid, "SIGKILL");
  } catch {
    // It ended between the look and the kill.
  }
}

/**
 * Processes whose environment has `NAME=value`. It is inherited, so it marks descendants even when they left their
 * process group; only processes of our own user can be read.
 */
export function findMarkedProcesses(marker: string): ProcessIdentity[] {
  const wanted = Buffer.from(`${marker}\0`);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const known = identifyProcess(Number(name));
      return known !== undefined && hasMarker(known.pid, wanted) ? [known] : [];
    });
}

function hasMarker(pid: number, wanted: Buffer): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`);
    const at = environment.indexOf(wanted);
    return at === 0 || (at > 0 && environment[at - 1] === 0);
  } catch {
    return false;
  }
}

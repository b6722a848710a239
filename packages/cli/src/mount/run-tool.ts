import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { GarrisonError } from "@garrison/core/garrison-error";

const deadlineMs = 60_000;

/** Runs a program of the system and answers what it said. Throws `mount-failed` with its last words. */
export async function runTool(command: string, parameters: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, parameters, { timeout: deadlineMs });
    return stdout.trim();
  } catch (cause) {
    const { code, stderr } = cause as { readonly code?: unknown; readonly stderr?: string };
    if (code === "ENOENT") {
      throw new GarrisonError("mount-failed", `${command} is not installed${packageHint(command)}`);
    }
    const said = stderr?.trim().split("\n").at(-1) ?? "";
    throw new GarrisonError("mount-failed", `${command} failed${said === "" ? "" : `: ${said}`}`, { cause });
  }
}

/** Debian's names. */
const packages: Readonly<Record<string, string>> = {
  nbdfuse: "libnbd-bin",
  fusermount3: "fuse3",
  "nbd-client": "nbd-client",
  losetup: "mount",
  mount: "mount",
  blkid: "util-linux",
};

export function packageHint(command: string): string {
  const name = packages[command];
  return name === undefined ? "" : ` (on Debian: apt-get install ${name})`;
}

import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

export interface Measured {
  readonly wallMs: number;
  /** The highest resident size the kernel saw (VmHWM); what a process reaches in its last 20 ms may be missing. */
  readonly peakMiB: number;
  /** User and system time of all its threads: what a busy machine changes least. May miss the last 20 ms as well. */
  readonly cpuSeconds: number;
  readonly stdout: string;
}

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard input comes from this file; otherwise there is none. */
  readonly stdinFile?: string;
  /** Standard output goes into this file instead of the answer. */
  readonly stdoutFile?: string;
}

/** Runs one program to its end and measures the process itself, not its children; throws when it fails. */
export function measureProcess(
  command: readonly string[],
  { env = {}, cwd, stdinFile, stdoutFile }: ProcessOptions = {},
): Promise<Measured> {
  const [program = "", ...parameters] = command;
  const input = stdinFile === undefined ? undefined : openSync(stdinFile, "r");
  const output = stdoutFile === undefined ? undefined : openSync(stdoutFile, "w");
  const startedAt = performance.now();
  const child = spawn(program, parameters, {
    env: { ...process.env, ...env },
    stdio: [input ?? "ignore", output ?? "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const [stdout, stderr]: [string[], string[]] = [[], []];
  for (const file of [input, output]) if (file !== undefined) closeSync(file);
  child.stdout?.on("data", (bytes: Buffer) => stdout.push(bytes.toString()));
  child.stderr!.on("data", (bytes: Buffer) => stderr.push(bytes.toString()));
  let [peakMiB, cpuSeconds] = [0, 0];
  const poll = setInterval(() => {
    peakMiB = Math.max(peakMiB, peakOf(child.pid));
    cpuSeconds = Math.max(cpuSeconds, cpuOf(child.pid));
  }, 20);
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (code) => {
      clearInterval(poll);
      const wallMs = performance.now() - startedAt;
      if (code === 0) resolve({ wallMs, peakMiB, cpuSeconds, stdout: stdout.join("") });
      else reject(new Error(`${command.join(" ")} ended with ${code}: ${stderr.join("").slice(-2000)}`));
    });
  });
}

function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** The kernel counts in hundredths of a second; the fields are counted behind the name, which may hold spaces. */
function cpuOf(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

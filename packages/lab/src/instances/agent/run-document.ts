import { spawn } from "node:child_process";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What a Run Command message carries, as far as the agent uses it. */
export interface CommandPayload {
  readonly CommandId: string;
  readonly DocumentName: string;
  readonly Parameters: Readonly<Record<string, readonly string[] | string>>;
  readonly DocumentContent?: { readonly mainSteps?: readonly DocumentStep[] };
}

interface DocumentStep {
  readonly action: string;
  readonly name: string;
}

export type DocumentStatus = "Success" | "Failed" | "TimedOut" | "Cancelled";

export interface DocumentResult {
  readonly plugin: string;
  readonly step: string;
  readonly status: DocumentStatus;
  readonly code: number;
  readonly standardOutput: string;
  readonly standardError: string;
  readonly startedMs: number;
  readonly endedMs: number;
}

export interface RunDocument {
  readonly payload: CommandPayload;
  /** Where scripts and outputs are kept. */
  readonly dataDir: string;
  /** Ends the command. */
  readonly cancelled: AbortSignal;
  readonly now: () => number;
}

const longestOutput = 24_000;
const longestError = 8_000;
const defaultTimeoutSeconds = 3_600;

/** Runs an `AWS-RunShellScript` document. Its shell gets a process group, which ends with it only when it is timed out or cancelled. */
export async function runDocument(run: RunDocument): Promise<DocumentResult> {
  const { payload, now } = run;
  const step = payload.DocumentContent?.mainSteps?.[0] ?? {
    action: "aws:runShellScript",
    name: "runShellScript",
  };
  const base = { plugin: step.action, step: step.name, startedMs: now() };
  if (step.action !== "aws:runShellScript") {
    const standardError = `Step ${step.action} is not supported on this platform`;
    return { ...base, status: "Failed", code: 1, standardOutput: "", standardError, endedMs: now() };
  }
  const folder = join(
    run.dataDir,
    "document",
    "orchestration",
    payload.CommandId,
    "awsrunShellScript",
    "0.awsrunShellScript",
  );
  await mkdir(folder, { recursive: true });
  const script = join(folder, "_script.sh");
  await writeFile(script, `${linesOf(payload, "commands").join("\n")}\n`, { mode: 0o700 });
  const ended = await runScript(run, folder, script);
  const [standardOutput, standardError] = await Promise.all([
    readHead(join(folder, "stdout"), longestOutput),
    readHead(join(folder, "stderr"), longestError),
  ]);
  const remark = ended.code === 0 ? "" : `failed to run commands: exit status ${ended.code}`;
  return {
    ...base,
    ...ended,
    standardOutput,
    standardError: `${standardError}${remark}`.slice(0, longestError),
    endedMs: now(),
  };
}

function linesOf(payload: CommandPayload, name: string): readonly string[] {
  const value = payload.Parameters[name] ?? [];
  return typeof value === "string" ? [value] : value;
}

/** As the public agent: what isn't between 5 and 172,800 seconds counts as not given. */
export function timeoutSecondsOf(payload: CommandPayload): number {
  const seconds = Number(linesOf(payload, "executionTimeout")[0] ?? defaultTimeoutSeconds);
  return seconds >= 5 && seconds <= 172_800 ? seconds : defaultTimeoutSeconds;
}

interface Ended {
  readonly status: DocumentStatus;
  readonly code: number;
}

async function runScript(run: RunDocument, folder: string, script: string): Promise<Ended> {
  const [stdout, stderr] = await Promise.all([
    open(join(folder, "stdout"), "w"),
    open(join(folder, "stderr"), "w"),
  ]);
  try {
    // Outputs are files, not pipes: what a script leaves running in the background must not keep the command open.
    const child = spawn("sh", ["-c", script], {
      cwd: linesOf(run.payload, "workingDirectory")[0] || "/",
      detached: true,
      stdio: ["ignore", stdout.fd, stderr.fd],
    });
    return await new Promise<Ended>((resolve) => {
      let forced: DocumentStatus | undefined;
      const stop = (status: DocumentStatus) => {
        forced ??= status;
        if (child.pid !== undefined) killGroup(child.pid);
      };
      const timer = setTimeout(() => stop("TimedOut"), timeoutSecondsOf(run.payload) * 1000);
      const cancel = () => stop("Cancelled");
      run.cancelled.addEventListener("abort", cancel, { once: true });
      if (run.cancelled.aborted) cancel();
      const settle = (code: number) => {
        clearTimeout(timer);
        run.cancelled.removeEventListener("abort", cancel);
        resolve({ status: forced ?? (code === 0 ? "Success" : "Failed"), code });
      };
      child.once("error", () => settle(127));
      child.once("exit", (code) => settle(code ?? 137));
    });
  } finally {
    await stdout.close();
    await stderr.close();
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group ended by itself.
  }
}

async function readHead(path: string, characters: number): Promise<string> {
  const file = await open(path, "r");
  try {
    // Four bytes are the most that UTF-8 needs for one.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(characters * 4), 0, characters * 4, 0);
    return buffer.toString("utf8", 0, bytesRead).slice(0, characters);
  } finally {
    await file.close();
  }
}

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { openDeadline } from "@garrison/core/deadline";
import { failureOfProgram } from "./failure-of-program.ts";

export interface ProgramStart {
  /** What it is called in messages: `lab`, `appliance`. */
  readonly name: string;
  /** The program's TypeScript entry, as a file URL. */
  readonly entry: URL;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Its standard error goes here. */
  readonly logFile: string;
  readonly readyTimeoutMs: number;
  /** It stops when this process is gone, however that happened: for programs that know `--until-stdin-ends`. */
  readonly endsWithParent?: true;
}

/** A program of ours that runs beside this one and has said that it is ready. */
export interface StartedProgram<Ready> extends AsyncDisposable {
  /** The JSON object that it printed when it was ready. */
  readonly ready: Ready;
  readonly process: ChildProcess;
  /** Asks it to stop and waits; kills it when it doesn't. Safe to call twice. */
  stop(): Promise<void>;
}

const stopTimeoutMs = 15_000;
const lastWordsLength = 4096;

/**
 * Starts a program and waits for the one line of JSON on standard output that says it is ready. Fails with
 * `program-failed` when it ends before, `deadline-exceeded` when it says nothing.
 */
export async function startProgram<Ready>(
  start: ProgramStart,
  signal: AbortSignal,
): Promise<StartedProgram<Ready>> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", start.entry.pathname, ...argumentsOf(start)],
    {
      env: start.environment,
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  child.stderr.pipe(createWriteStream(start.logFile, { flags: "a" }));
  const said = lastWords(child);
  const stop = () => stopProgram(child);
  try {
    using deadline = openDeadline(signal, start.readyTimeoutMs, `starting the ${start.name}`);
    const ready = (await readyLine({ child, said }, start, deadline.signal)) as Ready;
    child.stdout.resume();
    return { ready, process: child, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function argumentsOf(start: ProgramStart): readonly string[] {
  return start.endsWithParent === true ? [...start.args, "--until-stdin-ends"] : start.args;
}

/** The end of what a program says on standard error. */
function lastWords(child: ChildProcess): () => string {
  let text = "";
  child.stderr!.on("data", (bytes: Buffer) => {
    text = (text + bytes.toString("utf8")).slice(-lastWordsLength);
  });
  return () => text;
}

interface SpeakingProgram {
  readonly child: ChildProcess;
  readonly said: () => string;
}

async function readyLine(
  { child, said }: SpeakingProgram,
  start: ProgramStart,
  signal: AbortSignal,
): Promise<unknown> {
  const lines = createInterface({ input: child.stdout!, signal });
  // "close", not "exit": by then all that it said is read.
  const ended = once(child, "close").then(([code]) => {
    throw failureOfProgram({ name: start.name, logFile: start.logFile, said: said(), code });
  });
  ended.catch(() => undefined);
  const aborted = once(signal, "abort").then(() => {
    throw signal.reason as Error;
  });
  aborted.catch(() => undefined);
  return Promise.race([firstJsonLine(lines, child), ended, aborted]);
}

async function firstJsonLine(lines: AsyncIterable<string>, child: ChildProcess): Promise<unknown> {
  for await (const line of lines) if (line.startsWith("{")) return JSON.parse(line);
  // Standard output may close a moment before the exit is reported; the race's other side says why.
  await once(child, "close");
  return new Promise(() => undefined);
}

async function stopProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await exited;
  clearTimeout(timer);
}

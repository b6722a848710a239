import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { throwIfAborted } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { CliContext } from "../cli-context.ts";

export interface StreamInput {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** What is read, without the program's parameters: they may hold a password. */
  readonly identity: string;
  /** Ends the program if it still runs. */
  readonly close: () => Promise<void>;
}

/** Refuses to wait for a person who types. */
export function requireStreamInput(command: readonly string[], context: CliContext): void {
  if (command.length > 0 || context.stdin.isTTY !== true) return;
  throw new GarrisonError("terminal-refused", "standard input is a terminal: there is nothing to back up");
}

/** What a stream backup reads: a program's output when one is named, otherwise standard input. */
export function openStreamInput(command: readonly string[], context: CliContext): StreamInput {
  const [program, ...parameters] = command;
  if (program !== undefined) return openProgram(program, parameters, context);
  const { stdin } = context;
  return {
    bytes: readStdin(context),
    identity: "stream:stdin",
    close: async () => void stdin.destroy(),
  };
}

/** A pipe whose writer failed ends like any other. Most often nothing has come then: that is not taken for a dump. */
async function* readStdin(context: CliContext): AsyncGenerator<Uint8Array> {
  let bytesRead = 0;
  for await (const bytes of readTo(context.stdin, context)) {
    bytesRead += bytes.length;
    yield bytes;
  }
  if (bytesRead > 0) return;
  const reason = "a program that failed looks like that (behind `--` its status would tell)";
  throw new GarrisonError("source-invalid", `standard input ended without a byte: ${reason}`);
}

/** Bytes until the end; a signal breaks off a read that nothing answers. */
function readTo(stream: Readable, context: CliContext): AsyncIterable<Uint8Array> {
  return addAbortSignal(context.signal, stream) as AsyncIterable<Uint8Array>;
}

function openProgram(program: string, parameters: readonly string[], context: CliContext): StreamInput {
  const name = basename(program);
  let running: RunningProgram | undefined;
  return {
    bytes: readProgram(() => (running = start(program, parameters)), context),
    identity: `stream:${name}`,
    async close() {
      running?.child.kill();
      running?.child.stdout!.destroy();
      await running?.ended.catch(() => undefined);
    },
  };
}

interface RunningProgram {
  readonly child: ChildProcess;
  /** Throws unless the program ended with status 0. */
  readonly ended: Promise<void>;
}

function start(program: string, parameters: readonly string[]): RunningProgram {
  const child = spawn(program, parameters, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = endOf(child, basename(program));
  ended.catch(() => undefined); // told where the output ends
  return { child, ended };
}

/**
 * Starts the program with the first read: output that nobody waits for when a program ends is thrown away by Node. The
 * output is whole only when the program says so: its status decides, not that the output has an end.
 */
async function* readProgram(
  startProgram: () => RunningProgram,
  context: CliContext,
): AsyncGenerator<Uint8Array> {
  const { child, ended } = startProgram();
  yield* readTo(child.stdout!, context);
  await ended;
  throwIfAborted(context.signal);
}

async function endOf(child: ChildProcess, name: string): Promise<void> {
  try {
    const [status, signal] = (await once(child, "close")) as [number | null, string | null];
    if (status === 0) return;
    const how = status === null ? `was ended by ${signal}` : `ended with status ${status}`;
    throw new GarrisonError("producer-failed", `${name} ${how}`);
  } catch (cause) {
    if (cause instanceof GarrisonError) throw cause;
    throw new GarrisonError("producer-failed", `${name} could not be started`, { cause });
  }
}

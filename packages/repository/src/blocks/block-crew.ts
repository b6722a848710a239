import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { ThreadAnswer, ThreadRequest } from "./block-thread.ts";
import {
  prepareBlock,
  recoverBlock,
  type PreparedBlock,
  type PrepareJob,
  type RecoverJob,
  type RecoveredBlock,
} from "./block-work.ts";

/** Those who hash, compress, open and verify blocks. How many are under way is the caller's to bound. */
export interface BlockCrew {
  /** Takes over the memory of `job.bytes`. */
  prepare(job: PrepareJob): Promise<PreparedBlock>;
  recover(job: RecoverJob): Promise<RecoveredBlock>;
  close(): Promise<void>;
}

/** `threads: 0` works in the caller's thread. Threads start with the first job. */
export function openBlockCrew(idKey: Uint8Array, threads: number): BlockCrew {
  const program = threads > 0 ? findThreadProgram() : undefined;
  if (program === undefined) {
    return {
      prepare: async (job) => prepareBlock(idKey, { ...job, bytes: ownMemory(job.bytes) }),
      recover: async (job) => recoverBlock(idKey, job),
      close: async () => undefined,
    };
  }
  return new ThreadCrew({ program, idKey, threads });
}

/** Beside this file as source, or beside the bundle as JavaScript; without it the work is done in place. */
function findThreadProgram(): URL | undefined {
  const names = ["./block-thread.ts", "./block-thread.mjs", "./block-thread.js"];
  return names.map((name) => new URL(name, import.meta.url)).find((url) => existsSync(url));
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface CrewMember {
  readonly thread: Worker;
  readonly waiting: Map<number, Waiting>;
}

class ThreadCrew implements BlockCrew {
  readonly #options: { readonly program: URL; readonly idKey: Uint8Array; readonly threads: number };
  #members: CrewMember[] = [];
  #nextNumber = 0;

  constructor(options: { readonly program: URL; readonly idKey: Uint8Array; readonly threads: number }) {
    this.#options = options;
  }

  prepare(job: PrepareJob): Promise<PreparedBlock> {
    const bytes = ownMemory(job.bytes);
    return this.#send({ prepare: { ...job, bytes } }, bytes) as Promise<PreparedBlock>;
  }

  recover(job: RecoverJob): Promise<RecoveredBlock> {
    const stored = ownMemory(job.stored);
    return this.#send({ recover: { ...job, stored } }, stored) as Promise<RecoveredBlock>;
  }

  async close(): Promise<void> {
    const members = this.#members;
    this.#members = [];
    await Promise.all(members.map((member) => member.thread.terminate()));
  }

  #send(request: Omit<ThreadRequest, "number">, bytes: Uint8Array): Promise<unknown> {
    if (this.#members.length === 0) this.#members = this.#start();
    const member = this.#members.reduce((least, each) =>
      each.waiting.size < least.waiting.size ? each : least,
    );
    const number = this.#nextNumber++;
    return new Promise((resolve, reject) => {
      member.waiting.set(number, { resolve, reject });
      member.thread.postMessage({ ...request, number }, [bytes.buffer as ArrayBuffer]);
    });
  }

  #start(): CrewMember[] {
    return Array.from({ length: this.#options.threads }, () => {
      const thread = new Worker(this.#options.program, {
        workerData: { idKey: this.#options.idKey },
        resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
      });
      const member: CrewMember = { thread, waiting: new Map() };
      thread.on("message", (answer: ThreadAnswer) => settle(member, answer));
      thread.on("error", (error) => failAll(member, error));
      thread.on("exit", () => failAll(member, undefined));
      return member;
    });
  }
}

/** Memory that can be handed to a thread: alone in its buffer, and not of the allocator's pool. */
function ownMemory(bytes: Uint8Array): Uint8Array {
  const isOwn = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  return isOwn ? bytes : new Uint8Array(bytes);
}

function settle(member: CrewMember, answer: ThreadAnswer): void {
  const waiting = member.waiting.get(answer.number);
  member.waiting.delete(answer.number);
  if (answer.failure === undefined) waiting?.resolve(answer.result);
  else waiting?.reject(new GarrisonError("internal", `a block thread failed: ${answer.failure}`));
}

function failAll(member: CrewMember, cause: unknown): void {
  for (const waiting of member.waiting.values()) {
    waiting.reject(new GarrisonError("internal", "a block thread ended before its work was done", { cause }));
  }
  member.waiting.clear();
}

import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { GarrisonError } from "@garrison/core/garrison-error";
import { blockSizeBytes } from "../disk/block-source.ts";
import { maxStreamChunkBytes } from "../format/format-limits.ts";
import { createBlockSlot, viewBlockSlot, type BlockSlot } from "./block-slot.ts";
import type { ThreadAnswer, ThreadRequest } from "./block-thread.ts";
import {
  prepareBlock,
  recoverBlock,
  type PreparedBlock,
  type PrepareJob,
  type RecoveredBlock,
  type RecoverJob,
} from "./block-work.ts";
import { withOwnMemory } from "./with-own-memory.ts";

/** Those who hash, compress, open and verify blocks, and the slots that blocks pass through. */
export interface BlockCrew {
  /** Jobs that keep every thread busy with one more waiting for it. */
  readonly busyJobs: number;
  /**
   * A slot to fill, for a block or for a stream's chunk of so many bytes. How many are out at once is the caller's to
   * bound; they are used again after `giveBack`.
   */
  borrow(plainBytes?: number): BlockSlot;
  giveBack(slot: BlockSlot): void;
  /** Identifies and compresses what lies in the slot's plain side. */
  prepare(slot: BlockSlot, job: PrepareJob): Promise<PreparedBlock>;
  /** Opens and verifies the item that lies in the slot's packed side. */
  recover(slot: BlockSlot, job: RecoverJob): Promise<RecoveredBlock>;
  close(): Promise<void>;
}

export interface BlockCrewOptions {
  /** Default: one a core, at most 8. 0 works in the caller's thread. */
  readonly threads?: number | undefined;
}

/** Opens a crew for one domain's id key; whoever opens it closes it. */
export type OpenBlockCrew = (idKey: Uint8Array, options: BlockCrewOptions) => BlockCrew;

const maxThreads = 8;

/** Threads start at once, so that they are ready when the first block is. */
export function openBlockCrew(idKey: Uint8Array, options: BlockCrewOptions): BlockCrew {
  const threads = options.threads ?? Math.min(maxThreads, availableParallelism());
  const slots = openSlots();
  const program = threads > 0 ? findThreadProgram() : undefined;
  if (program !== undefined) return { ...slots, ...openThreads({ program, idKey, threads }) };
  return {
    ...slots,
    busyJobs: 1,
    prepare: async (slot, job) => prepareBlock(idKey, slot, job),
    recover: async (slot, job) => recoverBlock(idKey, slot, job),
    close: async () => undefined,
  };
}

/** Two sizes: for blocks, and for chunks of streams; of a large one only the pages that are used take memory. */
function openSlots(): Pick<BlockCrew, "borrow" | "giveBack"> {
  const free: BlockSlot[] = [];
  const freeLarge: BlockSlot[] = [];
  return {
    borrow: (plainBytes = blockSizeBytes) =>
      plainBytes <= blockSizeBytes
        ? (free.pop() ?? createBlockSlot(blockSizeBytes))
        : (freeLarge.pop() ?? createBlockSlot(maxStreamChunkBytes)),
    giveBack: (slot) => void (slot.plain.length === blockSizeBytes ? free : freeLarge).push(slot),
  };
}

/** Beside this file as source, or beside the bundle as JavaScript; without it the work is done in place. */
function findThreadProgram(): URL | undefined {
  const names = ["./block-thread.ts", "./block-thread.mjs", "./block-thread.js"];
  return names.map((name) => new URL(name, import.meta.url)).find((url) => existsSync(url));
}

/** A slot whose memory goes to a thread and comes back. */
type LentSlot = { -readonly [Side in keyof BlockSlot]: BlockSlot[Side] };

interface Waiting {
  readonly slot: LentSlot;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface CrewMember {
  readonly thread: Worker;
  readonly waiting: Map<number, Waiting>;
  hasEnded: boolean;
}

function openThreads(options: {
  readonly program: URL;
  readonly idKey: Uint8Array;
  readonly threads: number;
}): Omit<BlockCrew, "borrow" | "giveBack"> {
  const members = Array.from({ length: options.threads }, () => startMember(options));
  let nextNumber = 0;
  const send = (slot: LentSlot, request: Pick<ThreadRequest, "prepare" | "recover">): Promise<unknown> => {
    const member = members.reduce((least, each) => (each.waiting.size < least.waiting.size ? each : least));
    const number = nextNumber++;
    return new Promise((resolve, reject) => {
      if (member.hasEnded) throw endedThread(undefined);
      const memory = slot.plain.buffer as ArrayBuffer;
      member.waiting.set(number, { slot, resolve, reject });
      member.thread.postMessage({ ...request, number, memory }, [memory]);
    });
  };
  return {
    busyJobs: options.threads * 2,
    prepare: (slot, prepare) => send(slot, { prepare: withOwnMemory(prepare) }) as Promise<PreparedBlock>,
    recover: (slot, recover) => send(slot, { recover: withOwnMemory(recover) }) as Promise<RecoveredBlock>,
    close: async () => void (await Promise.all(members.map((member) => member.thread.terminate()))),
  };
}

function startMember(options: { readonly program: URL; readonly idKey: Uint8Array }): CrewMember {
  const thread = new Worker(options.program, {
    workerData: { idKey: options.idKey },
    // It holds some 12 MiB; what it may take more is what the collector lets lie before it looks.
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
  const member: CrewMember = { thread, waiting: new Map(), hasEnded: false };
  thread.on("message", (answer: ThreadAnswer) => settle(member, answer));
  thread.on("error", (error) => failAll(member, error));
  thread.on("exit", () => failAll(member, undefined));
  return member;
}

function settle(member: CrewMember, answer: ThreadAnswer): void {
  const waiting = member.waiting.get(answer.number);
  member.waiting.delete(answer.number);
  if (waiting !== undefined) Object.assign(waiting.slot, viewBlockSlot(answer.memory));
  if (answer.failure === undefined) waiting?.resolve(answer.result);
  else waiting?.reject(new GarrisonError("internal", `a block thread failed: ${answer.failure}`));
}

function failAll(member: CrewMember, cause: unknown): void {
  member.hasEnded = true;
  for (const waiting of member.waiting.values()) waiting.reject(endedThread(cause));
  member.waiting.clear();
}

function endedThread(cause: unknown): GarrisonError {
  return new GarrisonError("internal", "a block thread ended before its work was done", { cause });
}

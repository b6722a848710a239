import { isGarrisonError } from "../garrison-error.ts";
import { KiB, MiB } from "../units.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { quickRandom } from "./quick-random.ts";
import type { Random } from "../random.ts";

/** Something that reads bytes from outside. */
export interface FuzzedDecoder {
  readonly name: string;
  /** Inputs that it takes. */
  readonly samples: readonly Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
  /** The codes of the errors that it may refuse an input with, where they are not those of damage. */
  readonly codes?: ReadonlySet<string>;
  /** Makes an input, where changes to bytes alone would seldom get past its first step. */
  readonly mutate?: (random: Random) => Uint8Array;
}

export interface FuzzPlan {
  readonly inputs: number;
  readonly seed: string;
}

/** An input that got something else than an answer or a named error. */
export interface FuzzFailure {
  readonly decoder: string;
  /** Number of the input under its seed. */
  readonly input: number;
  readonly bytes: Uint8Array;
  readonly reason: string;
}

export interface FuzzReport {
  readonly decoder: string;
  readonly inputs: number;
  readonly accepted: number;
  /** How often each error was thrown, by its code. */
  readonly errors: Readonly<Record<string, number>>;
  readonly failures: readonly FuzzFailure[];
  readonly slowestMs: number;
  readonly largestBytes: number;
}

export interface FuzzMeters {
  /** Milliseconds, for the time of one input. */
  readonly now: () => number;
  /** Bytes in use at present, in the heap and in buffers. */
  readonly usedBytes: () => number;
}

/** The names that damage has: the rest of the table says something about the world, not about bytes. */
const damageCodes = new Set(
  "object-malformed object-damaged object-truncated page-damaged chunk-damaged keys-outdated escrow-unreadable repository-unsupported".split(
    " ",
  ),
);
// Far above what a busy machine makes of a few milliseconds: only what hangs takes so long.
const patienceMs = 20_000;
/** An input may ask for so much whatever its size, and for so many times its size. */
const freeBytes = 8 * MiB;
const growth = 128;
const keptFailures = 20;

/** Feeds a decoder with mutations of its samples; the same seed makes the same inputs. */
export function fuzzDecoder(meters: FuzzMeters, decoder: FuzzedDecoder, plan: FuzzPlan): FuzzReport {
  const random = quickRandom(`${plan.seed} ${decoder.name}`);
  const failures: FuzzFailure[] = [];
  const errors: Record<string, number> = {};
  let [accepted, slowestMs, largestBytes] = [0, 0, 0];
  for (let input = 0; input < plan.inputs && failures.length < keptFailures; input++) {
    const bytes =
      input < decoder.samples.length
        ? decoder.samples[input]!
        : (decoder.mutate?.(random) ?? mutateBytes(random, decoder.samples));
    const before = { ms: meters.now(), bytes: meters.usedBytes() };
    const outcome = tryDecode(decoder, bytes);
    const ms = meters.now() - before.ms;
    const used = meters.usedBytes() - before.bytes;
    slowestMs = Math.max(slowestMs, ms);
    largestBytes = Math.max(largestBytes, used);
    if (outcome === "accepted") accepted++;
    else errors[outcome] = (errors[outcome] ?? 0) + 1;
    const reason = reasonOf({ outcome, ms, used, input }, { decoder, bytes });
    if (reason !== undefined) failures.push({ decoder: decoder.name, input, bytes, reason });
  }
  return { decoder: decoder.name, inputs: plan.inputs, accepted, errors, failures, slowestMs, largestBytes };
}

/** The code of the error, `accepted`, or what was thrown that has no name. */
function tryDecode(decoder: FuzzedDecoder, bytes: Uint8Array): string {
  try {
    decoder.decode(bytes);
    return "accepted";
  } catch (error) {
    return isGarrisonError(error) ? error.code : `unnamed: ${String(error)}`;
  }
}

function reasonOf(
  seen: { readonly outcome: string; readonly ms: number; readonly used: number; readonly input: number },
  given: { readonly decoder: FuzzedDecoder; readonly bytes: Uint8Array },
): string | undefined {
  const { outcome, ms, used, input } = seen;
  if (input < given.decoder.samples.length && outcome !== "accepted") return `a valid input: ${outcome}`;
  if (outcome !== "accepted" && !(given.decoder.codes ?? damageCodes).has(outcome)) return outcome;
  if (ms > patienceMs) return `it took ${Math.round(ms)} ms`;
  if (used <= freeBytes + growth * given.bytes.length) return undefined;
  return `it asked for ${Math.round(used / KiB)} KiB of memory for ${given.bytes.length} bytes`;
}

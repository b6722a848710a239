import { GarrisonError } from "@garrison/core/garrison-error";
import { randomFraction, type Random } from "@garrison/core/random";
import { minuteMs } from "@garrison/core/units";
import { pick } from "./history-settings.ts";
import type { RequestMethod } from "./store-request.ts";

/**
 * What may happen to a call and is survived by design: it is refused (503), conflicts (409), is lost before or after its
 * effect, takes effect after its sender has given up waiting, or arrives a second time within 15 minutes.
 */
export type CallFault = "refused" | "conflict" | "lost-before" | "lost-after" | "late" | "duplicate";

const readFaults: readonly CallFault[] = ["refused", "lost-before"];
const deleteFaults: readonly CallFault[] = ["refused", "lost-before", "lost-after", "late", "duplicate"];
const createFaults: readonly CallFault[] = [...deleteFaults, "conflict"];

/** A signed request is accepted for so long. */
const latestMs = 15 * minuteMs;

export function drawFault(random: Random, method: RequestMethod, rate: number): CallFault | undefined {
  if (randomFraction(random) >= rate) return undefined;
  if (method === "create") return pick(random, createFaults);
  return pick(random, method === "delete" ? deleteFaults : readFaults);
}

export function drawDelayMs(random: Random): number {
  return Math.floor(randomFraction(random) * latestMs);
}

const sentences: Readonly<Record<Exclude<CallFault, "duplicate">, string>> = {
  refused: "the store refused the call: slow down (503)",
  conflict: "another call for this key was under way (409)",
  "lost-before": "no answer came",
  "lost-after": "no answer came",
  late: "no answer came",
};

/** What the caller is told; a duplicate is not noticed by anybody. */
export function faultError(fault: Exclude<CallFault, "duplicate">): GarrisonError {
  return new GarrisonError("store-unavailable", sentences[fault]);
}

import type { Lab } from "../lab.ts";
import { AwsError } from "./aws-error.ts";
import { authenticationFailure } from "./authentication-failures.ts";
import { internalFailure, throttled, type FaultRule } from "./faults.ts";
import type { Progress } from "./progress.ts";

/** The connection is to be cut without an answer. */
export class Dropped extends Error {
  override readonly name = "Dropped";
}

/** Makes the call go wrong if a fault rule says so; returns if it may go on. Notes a rule that is meant for the answer. */
export async function meetFault(lab: Lab, progress: Progress): Promise<void> {
  const rule = lab.faults.next(progress.incoming.service, progress.operation!);
  if (rule !== undefined) await applyFault(lab, rule, progress);
}

async function applyFault(lab: Lab, rule: FaultRule, progress: Progress): Promise<void> {
  const { kind } = progress.service!.schemas;
  switch (rule.fault) {
    case "throttle":
      throw throttled(kind);
    case "error500":
      throw internalFailure(kind);
    case "error503":
      throw internalFailure(kind, 503);
    case "conflict":
      throw new AwsError("ConditionalRequestConflict", "A conflicting operation is under way.", {
        status: 409,
      });
    case "expired":
      throw authenticationFailure("expired-token", kind);
    case "drop":
      throw new Dropped();
    case "latency":
      return lab.clock.sleep(rule.latencyMs ?? 1000, progress.signal);
    case "lost":
    case "cut":
    case "slow":
    case "corrupt":
      progress.spoiling = rule;
      return;
    case "timeout":
      await new Promise<void>((resolve) =>
        progress.signal.addEventListener("abort", () => resolve(), { once: true }),
      );
      throw new Dropped();
  }
}

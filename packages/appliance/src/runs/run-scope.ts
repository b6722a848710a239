import { DBOS } from "@dbos-inc/dbos-sdk";
import { throwIfAborted } from "@garrison/core/clock";
import { errorTable, type GarrisonErrorCode } from "@garrison/core/error-table";
import { describeError, GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { beginStep, endStep, logStep } from "../store/run-steps.ts";
import { isCancelRequested } from "../store/runs.ts";
import type { RunDependencies } from "./run-dependencies.ts";

export interface StepScope {
  /** Fires when the run is stopped or the appliance ends. */
  readonly signal: AbortSignal;
  /** Tells what was done to which resource. */
  log(message: string, resource?: string): Promise<void>;
}

/** A failure as it is stored: a restarted run meets the same one. */
export interface StoredFailure {
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

type StepOutcome<Value> = { readonly value: Value } | { readonly failure: StoredFailure };

export interface RunSignals {
  /** The run was stopped by somebody. */
  readonly cancelled: AbortSignal;
  /** The appliance is ending; its runs go on with the next one. */
  readonly stopping: AbortSignal;
}

/**
 * One run under way. What a run does it does in steps: the result of a step that has ended is stored, and a run that is
 * taken up again (after a restart) gets it from there instead of doing the step twice. So a step must be harmless to
 * repeat, what happens between steps must depend on nothing but their results, and a result must be plain JSON without
 * secrets.
 */
export class RunScope {
  readonly runId: string;
  readonly #dependencies: RunDependencies;
  readonly #signals: RunSignals;
  #count = 0;
  #isUndoing = false;

  constructor(dependencies: RunDependencies, runId: string, signals: RunSignals) {
    this.#dependencies = dependencies;
    this.runId = runId;
    this.#signals = signals;
  }

  /** From here on steps run although the run was stopped: they put things back. */
  beginUndo(): void {
    this.#isUndoing = true;
  }

  /** A step that people see. Throws what the step threw, by code. */
  step<Value>(name: string, body: (step: StepScope) => Promise<Value>): Promise<Value> {
    this.#count += 1;
    const number = this.#count;
    return this.#durable(name, () => this.#attempt({ number, name }, body));
  }

  /** A step that only keeps the run's own record. */
  note<Value>(name: string, body: () => Promise<Value>): Promise<Value> {
    return this.#durable<Value>(name, async (): Promise<StepOutcome<Value>> => {
      try {
        return { value: await body() };
      } catch (error) {
        await this.#stayIfStopping();
        return { failure: toFailure(error) };
      }
    });
  }

  async #durable<Value>(name: string, run: () => Promise<StepOutcome<Value>>): Promise<Value> {
    const outcome: StepOutcome<Value> = await DBOS.runStep<StepOutcome<Value>>(run, { name });
    if ("failure" in outcome) throw fromFailure(outcome.failure);
    return outcome.value as Value;
  }

  async #attempt<Value>(
    step: { readonly number: number; readonly name: string },
    body: (step: StepScope) => Promise<Value>,
  ): Promise<StepOutcome<Value>> {
    const { queries, clock, logger } = this.#dependencies;
    const key = { runId: this.runId, number: step.number };
    const now = () => new Date(clock.now());
    const log = async (message: string, resource?: string) => {
      logger.info({ run: this.runId, step: step.name, resource }, message);
      await logStep(queries, { ...key, at: now(), message, resource });
    };
    try {
      await beginStep(queries, { ...key, name: step.name, at: now() });
      await this.#throwIfCancelled();
      const value = await body({ signal: this.#signal(), log });
      await endStep(queries, { ...key, status: "done", at: now() });
      return { value };
    } catch (error) {
      await this.#stayIfStopping();
      await log(describeError(error));
      await endStep(queries, { ...key, status: "failed", at: now() });
      return { failure: toFailure(error) };
    }
  }

  #signal(): AbortSignal {
    const { cancelled, stopping } = this.#signals;
    return this.#isUndoing ? stopping : AbortSignal.any([cancelled, stopping]);
  }

  async #throwIfCancelled(): Promise<void> {
    if (this.#isUndoing) return;
    throwIfAborted(this.#signals.cancelled);
    if (await isCancelRequested(this.#dependencies.queries, this.runId)) throw cancelledError(this.runId);
  }

  /** A step that failed because the appliance ends has not ended: it must leave no result behind. */
  async #stayIfStopping(): Promise<void> {
    if (this.#signals.stopping.aborted) await new Promise(() => undefined);
  }
}

export function cancelledError(runId: string): GarrisonError {
  return new GarrisonError("run-cancelled", `${runId} was stopped`);
}

export function toFailure(error: unknown): StoredFailure {
  if (!isGarrisonError(error)) return { code: "internal", message: describeError(error) };
  const cause = error.cause === undefined ? undefined : describeError(error.cause);
  const details = { ...error.details, ...(cause === undefined ? {} : { cause }) };
  return { code: error.code, message: error.message, details: JSON.parse(JSON.stringify(details)) };
}

export function fromFailure(failure: StoredFailure): GarrisonError {
  const code = Object.hasOwn(errorTable, failure.code) ? (failure.code as GarrisonErrorCode) : "internal";
  return new GarrisonError(code, failure.message, { details: failure.details ?? {} });
}

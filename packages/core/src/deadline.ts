import { GarrisonError } from "./garrison-error.ts";

/**
 * A signal that fires when `parent` does or after `timeoutMs`, then with a `deadline-exceeded` that names what was
 * waited for. Close it (`using`) so that no timer outlives the wait.
 */
export function openDeadline(parent: AbortSignal, timeoutMs: number, waitingFor: string): Deadline {
  return new Deadline(parent, timeoutMs, waitingFor);
}

export class Deadline implements Disposable {
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  constructor(parent: AbortSignal, timeoutMs: number, waitingFor: string) {
    const own = new AbortController();
    const message = `${waitingFor} did not end within ${Math.round(timeoutMs / 1000)} s`;
    this.#timer = setTimeout(() => own.abort(new GarrisonError("deadline-exceeded", message)), timeoutMs);
    this.signal = AbortSignal.any([parent, own.signal]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

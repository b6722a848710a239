import { dayMs } from "@garrison/core/units";

/**
 * What a restore point's promise asks for at the store. The slack spares calls: chunks are shared by later points whose
 * promises end a little later each, and each pack's lock has to be prolonged only about once in this time.
 */
export const lockSlackMs = 30 * dayMs;

/** Until when what a promised point reaches is to be locked, when it is locked or prolonged now. */
export function lockForPromise(promisedUntilMs: number): number {
  return promisedUntilMs + lockSlackMs;
}

import type { Clock } from "@garrison/core/clock";
import type { Random } from "@garrison/core/random";

/**
 * A session's id: 5 bytes of seconds, 3 random, as 16 hex digits, so that ids sort by time. `clock` should show the
 * store's time; a wrong one costs at worst a restarted backup. The id sorts behind `after`, the newest point that is
 * known, even if both are of one second or the clock was set back.
 */
export function newSessionId(
  dependencies: { readonly clock: Clock; readonly random: Random },
  after?: string,
): string {
  const random = dependencies.random.bytes(3);
  const now = formatId(Math.floor(dependencies.clock.now() / 1000), random);
  if (after === undefined || now > after) return now;
  return formatId(sessionStartMs(after) / 1000 + 1, random);
}

function formatId(seconds: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(seconds, 0, 5);
  bytes.set(random, 5);
  return bytes.toString("hex");
}

/** A lane's id, 8 hex digits: one worker process inside a session; each retry draws another. */
export function newLaneId(random: Random): string {
  return Buffer.from(random.bytes(4)).toString("hex");
}

/** When the session was begun, by the clock that its id was made with. */
export function sessionStartMs(sessionId: string): number {
  return Number.parseInt(sessionId.slice(0, 10), 16) * 1000;
}

import type { Lab } from "../lab.ts";
import type { StoredSession } from "./caller-principal.ts";
import { newSecretAccessKey, newSessionToken, newUniqueId } from "./unique-ids.ts";

export type NewSession = Omit<
  StoredSession,
  "accessKeyId" | "secretAccessKey" | "sessionToken" | "issuedAtMs" | "expiresAtMs"
> & {
  readonly durationSeconds: number;
};

/** Expired sessions are kept this long, so that their use is answered as expired rather than unknown. */
const keptExpiredMs = 3_600_000;
const sweepAbove = 1000;

/** Makes and stores temporary credentials; whether the caller may have them has been decided before. */
export function issueSession(lab: Lab, { durationSeconds, ...session }: NewSession): StoredSession {
  const now = lab.clock.now();
  // STS tells whole seconds, so that is what holds.
  const issuedAtMs = Math.floor(now / 1000) * 1000;
  const stored: StoredSession = {
    ...session,
    accessKeyId: newUniqueId(lab.random, "ASIA"),
    secretAccessKey: newSecretAccessKey(lab.random),
    sessionToken: newSessionToken(lab.random),
    issuedAtMs,
    expiresAtMs: issuedAtMs + durationSeconds * 1000,
  };
  if (lab.identity.sessions.size >= sweepAbove) dropOldSessions(lab, now);
  lab.identity.sessions.put(stored.accessKeyId, stored);
  return stored;
}

function dropOldSessions(lab: Lab, now: number): void {
  for (const [key, { expiresAtMs }] of lab.identity.sessions.entries()) {
    if (expiresAtMs + keptExpiredMs < now) lab.identity.sessions.delete(key);
  }
}

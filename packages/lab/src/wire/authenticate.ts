import type { KeyObject } from "node:crypto";
import type { Credential } from "../identity/find-credential.ts";
import { findCredential } from "../identity/find-credential.ts";
import type { Lab } from "../lab.ts";
import type { AuthenticationProblem } from "./authentication-failures.ts";
import {
  isSignatureValid,
  parseAmzDate,
  type Signature,
  type SignedRequest,
  type SigningKeys,
} from "./signature.ts";

/** How far a client's clock may be off. */
const maxSkewMs = 5 * 60_000;
const maxPresignedSeconds = 7 * 86_400;

export interface AuthenticationRequest {
  readonly signature: Signature;
  readonly request: SignedRequest;
  readonly payloadHash: string;
  readonly keys: SigningKeys;
}

export type Authenticated =
  | { readonly credential: Credential; readonly key: KeyObject }
  | { readonly problem: AuthenticationProblem };

/** Verifies a signature: known key, its token, the time, and the signature itself. */
export function authenticate(
  lab: Lab,
  { signature, request, payloadHash, keys }: AuthenticationRequest,
): Authenticated {
  const credential = findCredential(lab, signature.accessKeyId);
  if (credential === undefined) return { problem: "unknown-key" };
  const now = lab.clock.now();
  const problem = tokenProblem(credential, signature, now) ?? timeProblem(signature, now);
  if (problem !== undefined) return { problem };
  const key = keys.of(credential.secretAccessKey, signature);
  return isSignatureValid({ signature, request, key, payloadHash })
    ? { credential, key }
    : { problem: "mismatch" };
}

function tokenProblem(
  credential: Credential,
  signature: Signature,
  now: number,
): AuthenticationProblem | undefined {
  if (credential.sessionToken !== signature.securityToken) return "invalid-token";
  return credential.expiresAtMs !== undefined && credential.expiresAtMs <= now ? "expired-token" : undefined;
}

function timeProblem(signature: Signature, now: number): AuthenticationProblem | undefined {
  const signedAt = parseAmzDate(signature.timestamp);
  if (Number.isNaN(signedAt)) return "incomplete";
  if (!signature.timestamp.startsWith(signature.date)) return "mismatch";
  if (signature.kind === "header") return Math.abs(now - signedAt) > maxSkewMs ? "skewed" : undefined;
  const { expiresSeconds = 0 } = signature;
  if (!(expiresSeconds > 0 && expiresSeconds <= maxPresignedSeconds)) return "incomplete";
  if (signedAt > now + maxSkewMs) return "skewed";
  return now > signedAt + expiresSeconds * 1000 ? "presigned-expired" : undefined;
}

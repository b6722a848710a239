import type { Readable } from "node:stream";
import type { Credential } from "../identity/find-credential.ts";
import type { Lab } from "../lab.ts";
import { authenticate } from "./authenticate.ts";
import { authenticationFailure, type AuthenticationProblem } from "./authentication-failures.ts";
import { AwsChunkedDecoder } from "./aws-chunked.ts";
import type { AwsError } from "./aws-error.ts";
import type { Incoming } from "./incoming.ts";
import {
  contentHash,
  contentHashMismatch,
  hashChecked,
  heard,
  isContentHash,
  readWholeBody,
} from "./request-body.ts";
import type { ProtocolKind } from "./service-schemas.ts";
import type { Signature, SigningKeys } from "./signature.ts";

/** Streamable bodies up to this size are taken whole: hashing one buffer is cheaper than a chain of streams. */
const wholeBodyBytes = 2 ** 20;

export interface Admission {
  readonly incoming: Incoming;
  readonly kind: ProtocolKind;
  readonly keys: SigningKeys;
  readonly streamsInput: boolean;
  /** S3 only: requests without a signature are let through as anonymous. */
  readonly allowsAnonymous: boolean;
  /** Memory for a body of just one block; absent: fresh memory. */
  readonly memory?: (() => Buffer) | undefined;
}

/** A request whose signature holds. */
export interface Admitted {
  /** Absent for anonymous ones. */
  readonly credential: Credential | undefined;
  readonly body: Uint8Array | Readable;
  trailers(): Readonly<Record<string, string>>;
}

const noTrailers = () => ({});

/** Verifies the signature and opens the body, so that what a handler reads is what was signed. */
export async function admitBody(lab: Lab, admission: Admission): Promise<Admitted> {
  const { incoming, kind, keys, streamsInput, allowsAnonymous, memory } = admission;
  const { message, signature } = incoming;
  if (signature === "incomplete") throw authenticationFailure("incomplete", kind);
  if (signature === "absent") {
    if (!allowsAnonymous) throw authenticationFailure("missing", kind);
    return { credential: undefined, body: await readWholeBody(message), trailers: noTrailers };
  }
  const stated = statedHash(incoming, signature);
  const chunked = isChunked(incoming);
  const streams = stated !== undefined && streamsInput && (chunked || !isShort(incoming));
  const whole = streams ? undefined : await readWholeBody(message, memory);
  const payloadHash = stated ?? contentHash(whole!);
  const verified = authenticate(lab, {
    signature,
    request: { ...incoming, headers: message.headers },
    payloadHash,
    keys,
  });
  if ("problem" in verified) throw authenticationFailure(verified.problem, kind);
  const { credential, key } = verified;
  if (whole !== undefined) {
    if (stated !== undefined && isContentHash(stated) && contentHash(whole) !== stated) throw mismatch(kind);
    return { credential, body: whole, trailers: noTrailers };
  }
  if (!chunked)
    return {
      credential,
      body: isContentHash(payloadHash) ? hashChecked(message, payloadHash) : message,
      trailers: noTrailers,
    };
  const signed = payloadHash.startsWith("STREAMING-AWS4") ? { signature, key } : undefined;
  const decoder = heard(new AwsChunkedDecoder(signed));
  message.on("error", (error) => decoder.destroy(error));
  message.pipe(decoder);
  return { credential, body: decoder, trailers: () => decoder.trailers };
}

function mismatch(kind: ProtocolKind): AwsError {
  return kind === "rest-xml"
    ? contentHashMismatch()
    : authenticationFailure("mismatch" satisfies AuthenticationProblem, kind);
}

/** What stands for the body in the signature, where the request says so itself. */
function statedHash(incoming: Incoming, signature: Signature): string | undefined {
  const header = incoming.message.headers["x-amz-content-sha256"];
  if (typeof header === "string") return header;
  if (signature.kind === "query" && signature.service === "s3") return "UNSIGNED-PAYLOAD";
  return undefined;
}

function isChunked({ message }: Incoming): boolean {
  const { headers } = message;
  return (
    Boolean(headers["content-encoding"]?.includes("aws-chunked")) ||
    String(headers["x-amz-content-sha256"] ?? "").startsWith("STREAMING-")
  );
}

function isShort({ message }: Incoming): boolean {
  const length = message.headers["content-length"];
  return length === undefined
    ? message.headers["transfer-encoding"] === undefined
    : Number(length) <= wholeBodyBytes;
}

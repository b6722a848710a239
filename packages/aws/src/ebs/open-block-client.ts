import { hash } from "node:crypto";
import { throwIfAborted, type Clock } from "@garrison/core/clock";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { minuteMs, secondMs } from "@garrison/core/units";
import { blockSizeBytes } from "@garrison/repository/disk/block-source";
import type { SdkCredentials } from "../aws-credentials.ts";
import { translateAwsError } from "../translate-aws-error.ts";
import type { BlockClient, BlockRead, BlockWrite, FetchedBlock } from "./block-client.ts";
import type { BlockEndpoint } from "./block-endpoint.ts";
import { readBlockError, requestIdOf } from "./block-error.ts";
import type { ConnectionLimits } from "./connection.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { canonicalQuery, emptyPayloadHash, openRequestSigner, type RequestSigner } from "./request-signer.ts";
import type { HttpAnswer } from "./response-reader.ts";

export interface BlockClientOptions {
  readonly clock: Clock;
  /** Asked once, before the first call; again when it failed. */
  readonly endpoint: () => Promise<BlockEndpoint>;
  /** Asked before every call; `forceRefresh` after AWS has called what it gave expired. */
  readonly credentials: (wish?: { readonly forceRefresh?: boolean }) => Promise<SdkCredentials>;
  /** Default 64. */
  readonly mostConnections?: number;
  readonly limits?: Partial<Omit<ConnectionLimits, "mostBodyBytes">>;
  /** Certificates to trust instead of the runtime's own (PEM). */
  readonly certificates?: string;
}

const mostConnections = 64;
const defaultLimits: ConnectionLimits = {
  connectMs: 5 * secondMs,
  silenceMs: minuteMs,
  exchangeMs: 2 * minuteMs,
  idleMs: 20 * secondMs,
  mostBodyBytes: blockSizeBytes,
};
/** AWS takes signatures that are up to five minutes off. */
const tolerableSkewMs = 4 * minuteMs;

/**
 * GetSnapshotBlock and PutSnapshotBlock over connections of our own: what the SDK does for one block costs more than
 * reading, verifying and sealing it. docs/decisions/ebs-block-client.md says why and what it takes.
 */
export function openBlockClient(options: BlockClientOptions): BlockClient {
  const opening = openOnce(() => openLine(options));
  let isClosed = false;

  async function send(request: BlockRequest, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      throwIfAborted(signal);
      if (isClosed) throw new GarrisonError("aborted", "the block client is closed");
      return await (await opening.get()).send(request, signal);
    } catch (error) {
      throw namedError(error, request.doing);
    }
  }

  return {
    async get(block, { signal }) {
      const request = readRequest(block);
      return verifiedBlock(await send(request, signal), request.doing);
    },
    async put(block, { signal }) {
      const request = writeRequest(block);
      checkTaken(await send(request, signal), request);
    },
    close: () => {
      isClosed = true;
      opening.opened()?.close();
    },
  };
}

interface BlockRequest {
  readonly operation: "GetSnapshotBlock" | "PutSnapshotBlock";
  readonly method: "GET" | "PUT";
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payloadHash: string;
  readonly body?: Uint8Array;
  readonly into?: Uint8Array;
  readonly expectedStatus: number;
  readonly doing: string;
}

function readRequest({ snapshotId, index, token, into }: BlockRead): BlockRequest {
  const doing = `reading block ${index} of ${snapshotId}`;
  if (token === undefined || !token.isWellFormed())
    throw new GarrisonError("aws-invalid-request", `${doing}: the block has no token of a listing`);
  return {
    operation: "GetSnapshotBlock",
    method: "GET",
    path: blockPath({ snapshotId, index }, doing),
    query: canonicalQuery({ blockToken: token }),
    headers: {},
    payloadHash: emptyPayloadHash,
    into,
    expectedStatus: 200,
    doing,
  };
}

function writeRequest({ snapshotId, index, bytes, sha256 }: BlockWrite): BlockRequest {
  const doing = `writing block ${index} of ${snapshotId}`;
  if (bytes.length !== blockSizeBytes || sha256.length !== 32)
    throw new GarrisonError("aws-invalid-request", `${doing}: ${bytes.length} bytes are not one block`);
  const digest = Buffer.from(sha256.buffer, sha256.byteOffset, sha256.byteLength);
  return {
    operation: "PutSnapshotBlock",
    method: "PUT",
    path: blockPath({ snapshotId, index }, doing),
    query: "",
    headers: {
      "content-length": String(blockSizeBytes),
      "content-type": "application/octet-stream",
      "x-amz-checksum": digest.toString("base64"),
      "x-amz-checksum-algorithm": "SHA256",
      "x-amz-data-length": String(blockSizeBytes),
    },
    payloadHash: digest.toString("hex"),
    body: bytes,
    expectedStatus: 201,
    doing,
  };
}

/** Ids and indexes that could mean something else in a path never get into one. */
function blockPath({ snapshotId, index }: { snapshotId: string; index: number }, doing: string): string {
  if (!/^snap-[0-9a-f]{1,59}$/.test(snapshotId) || !Number.isSafeInteger(index) || index < 0)
    throw new GarrisonError("aws-invalid-request", `${doing}: that is not a block of a snapshot`);
  return `/snapshots/${snapshotId}/blocks/${index}`;
}

function verifiedBlock(answer: HttpAnswer, doing: string): FetchedBlock {
  const { body: bytes, headers } = answer;
  const stated = headers.get("x-amz-data-length") ?? String(blockSizeBytes);
  if (bytes.length !== blockSizeBytes || stated !== String(blockSizeBytes))
    throw damaged(answer, `${doing}: ${bytes.length} bytes came instead of ${blockSizeBytes}`);
  const sha256 = hash("sha256", bytes, "buffer");
  const isSame = sha256.toString("base64") === headers.get("x-amz-checksum");
  if (!isSame || (headers.get("x-amz-checksum-algorithm") ?? "SHA256") !== "SHA256")
    throw damaged(answer, `${doing}: checksum differs`);
  return { bytes, sha256 };
}

/** EBS says what it took: anything else than what was sent is sent again. */
function checkTaken(answer: HttpAnswer, { headers, doing }: BlockRequest): void {
  const taken = answer.headers.get("x-amz-checksum");
  if (taken !== undefined && taken !== headers["x-amz-checksum"])
    throw damaged(answer, `${doing}: EBS took other bytes`);
}

function damaged(answer: HttpAnswer, message: string): GarrisonError {
  return new GarrisonError("ebs-block-damaged", message, { details: { requestId: requestIdOf(answer) } });
}

function namedError(error: unknown, doing: string): GarrisonError {
  if (!isGarrisonError(error)) return translateAwsError(error, doing);
  return error;
}

/** An open line to one endpoint: its connections, its signer, and what it has learned of the server's time. */
interface Line {
  send(request: BlockRequest, signal: AbortSignal): Promise<HttpAnswer>;
  close(): void;
}

async function openLine(options: BlockClientOptions): Promise<Line> {
  const { url, region, service } = await options.endpoint();
  const isSecure = url.protocol !== "http:";
  const pool = new ConnectionPool({
    target: {
      isSecure,
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port || (isSecure ? 443 : 80)),
      certificates: options.certificates,
    },
    limits: { ...defaultLimits, ...options.limits },
    mostConnections: options.mostConnections ?? mostConnections,
  });
  const signer = openRequestSigner({ region, service });
  const basePath = url.pathname.replace(/\/$/, "");
  let [skewMs, mustRefresh] = [0, false];

  return {
    close: () => pool.close(),
    async send(request, signal) {
      const wish = mustRefresh ? { forceRefresh: true } : {};
      mustRefresh = false;
      const credentials = await options.credentials(wish);
      const signedAtMs = options.clock.now() + skewMs;
      const place = { host: url.host, path: `${basePath}${request.path}` };
      const head = requestHead(signer, { request, place, credentials, signedAtMs });
      const answer = await pool.exchange({ head, body: request.body, into: request.into }, signal);
      if (answer.status === request.expectedStatus) return answer;
      const error = translateAwsError(readBlockError(answer), request.doing);
      mustRefresh ||= error.code === "aws-credentials-expired";
      const serverMs = Date.parse(answer.headers.get("date") ?? "");
      if (!isAboutTime(error) || !(Math.abs(serverMs - signedAtMs) > tolerableSkewMs)) throw error;
      skewMs = serverMs - options.clock.now();
      throw skewed(error, skewMs, request.doing);
    },
  };
}

interface RequestParts {
  readonly request: BlockRequest;
  readonly place: { readonly host: string; readonly path: string };
  readonly credentials: SdkCredentials;
  readonly signedAtMs: number;
}

function requestHead(
  signer: RequestSigner,
  { request, place, credentials, signedAtMs }: RequestParts,
): string {
  const { method, query, payloadHash } = request;
  const own = { ...request.headers, host: place.host, "x-amz-content-sha256": payloadHash };
  const signable = { method, path: place.path, query, payloadHash, headers: own };
  const headers = signer.sign(signable, credentials, signedAtMs);
  let head = `${method} ${place.path}${query === "" ? "" : `?${query}`} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`;
  return `${head}user-agent: garrison\r\n\r\n`;
}

const timeErrors =
  /^(RequestTimeTooSkewed|RequestExpired|RequestInTheFuture|InvalidSignatureException|SignatureDoesNotMatch|AuthFailure)$/;

function isAboutTime(error: GarrisonError): boolean {
  return timeErrors.test(String(error.details["awsCode"]));
}

function skewed(error: GarrisonError, skewMs: number, doing: string): GarrisonError {
  const side = skewMs > 0 ? "behind" : "ahead of";
  const message = `${doing}: this clock is ${Math.round(Math.abs(skewMs) / secondMs)} s ${side} AWS's`;
  return new GarrisonError("aws-clock-skewed", message, { cause: error.cause, details: error.details });
}

/** Opens at the first use; a failure is not remembered. */
function openOnce<Opened>(open: () => Promise<Opened>) {
  let pending: Promise<Opened> | undefined;
  let opened: Opened | undefined;
  return {
    opened: () => opened,
    async get(): Promise<Opened> {
      if (opened !== undefined) return opened;
      pending ??= open().finally(() => (pending = undefined));
      return (opened = await pending);
    },
  };
}

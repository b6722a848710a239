import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { minuteMs, secondMs } from "@garrison/core/units";
import { blockSizeBytes } from "@garrison/repository/disk/block-source";
import type { SdkCredentials } from "../aws-credentials.ts";
import { translateAwsError } from "../translate-aws-error.ts";
import type { BlockEndpoint } from "./block-endpoint.ts";
import { readBlockError } from "./block-error.ts";
import type { BlockRequest } from "./block-request.ts";
import type { ConnectionLimits } from "./connection.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { openRequestSigner, type RequestSigner } from "./request-signer.ts";
import type { HttpAnswer } from "./response-reader.ts";

export interface BlockLineOptions {
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

/** An open line to one endpoint: its connections, its signer, and what it has learned of the server's time. */
export interface BlockLine {
  send(request: BlockRequest, signal: AbortSignal): Promise<HttpAnswer>;
  close(): void;
}

export async function openBlockLine(options: BlockLineOptions): Promise<BlockLine> {
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
  for (const [name, value] of Object.entries(headers)) {
    // Credentials come from outside; in the SDK the runtime's own client would refuse them.
    if (/[\r\n\0]/.test(value))
      throw new GarrisonError("aws-credentials-missing", `${request.doing}: the credentials hold a line end`);
    head += `${name}: ${value}\r\n`;
  }
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

import type { IncomingHttpHeaders } from "node:http";
import { createHmac, createSecretKey, hash, timingSafeEqual, type KeyObject } from "node:crypto";

/** The parts of a SigV4 signature, from the Authorization header or a presigned address. */
export interface Signature {
  readonly kind: "header" | "query";
  readonly accessKeyId: string;
  /** `20261124`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20261124T000700Z`. */
  readonly timestamp: string;
  readonly securityToken?: string;
  /** Presigned: how long it holds. */
  readonly expiresSeconds?: number;
}

export interface SignedRequest {
  readonly method: string;
  /** As sent, without the query string. */
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly headers: IncomingHttpHeaders;
}

export type ParsedSignature = Signature | "absent" | "incomplete";

const authorizationForm =
  /^AWS4-HMAC-SHA256 +Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})$/;
const credentialForm = /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/;

/** Reads who says to have signed a request; nothing is verified yet. */
export function parseSignature(request: SignedRequest, query: URLSearchParams): ParsedSignature {
  const { authorization } = request.headers;
  if (authorization !== undefined) return parseHeader(authorization, request.headers);
  if (query.has("X-Amz-Algorithm") || query.has("X-Amz-Signature")) return parseQuery(query);
  return "absent";
}

function parseHeader(authorization: string, headers: IncomingHttpHeaders): ParsedSignature {
  const hit = authorizationForm.exec(authorization);
  const timestamp = headers["x-amz-date"];
  if (hit === null || typeof timestamp !== "string") return "incomplete";
  const token = headers["x-amz-security-token"];
  return {
    kind: "header",
    accessKeyId: hit[1]!,
    date: hit[2]!,
    region: hit[3]!,
    service: hit[4]!,
    signedHeaders: hit[5]!.split(";"),
    signature: hit[6]!,
    timestamp,
    ...(typeof token === "string" ? { securityToken: token } : {}),
  };
}

function parseQuery(query: URLSearchParams): ParsedSignature {
  const scope = credentialForm.exec(query.get("X-Amz-Credential") ?? "");
  const signedHeaders = query.get("X-Amz-SignedHeaders");
  const signature = query.get("X-Amz-Signature");
  const timestamp = query.get("X-Amz-Date");
  if (scope === null || !signedHeaders || !signature || !timestamp) return "incomplete";
  const token = query.get("X-Amz-Security-Token");
  return {
    kind: "query",
    accessKeyId: scope[1]!,
    date: scope[2]!,
    region: scope[3]!,
    service: scope[4]!,
    signedHeaders: signedHeaders.split(";"),
    signature,
    timestamp,
    expiresSeconds: Number(query.get("X-Amz-Expires") ?? 0),
    ...(token === null ? {} : { securityToken: token }),
  };
}

/** `20261124T000700Z` as milliseconds; NaN when it isn't one. */
export function parseAmzDate(timestamp: string): number {
  const hit = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  return hit === null
    ? Number.NaN
    : Date.parse(`${hit[1]}-${hit[2]}-${hit[3]}T${hit[4]}:${hit[5]}:${hit[6]}Z`);
}

export interface SigningKeys {
  of(secretAccessKey: string, signature: Signature): KeyObject;
}

/** Derived keys hold for a day, Region and service, so each secret's are derived once. At most a thousand are kept. */
export function openSigningKeys(): SigningKeys {
  const keys = new Map<string, KeyObject>();
  return {
    of(secretAccessKey, { date, region, service }) {
      const name = `${secretAccessKey}\n${date}\n${region}\n${service}`;
      let key = keys.get(name);
      if (key === undefined) {
        if (keys.size >= 1000) keys.clear();
        key = deriveKey(secretAccessKey, [date, region, service, "aws4_request"]);
        keys.set(name, key);
      }
      return key;
    },
  };
}

/** As a key object: from a buffer one would be made for every HMAC, which takes longer than the HMAC. */
function deriveKey(secretAccessKey: string, scope: readonly string[]): KeyObject {
  let key: Buffer = Buffer.from(`AWS4${secretAccessKey}`);
  for (const part of scope) key = createHmac("sha256", key).update(part).digest();
  return createSecretKey(key);
}

export interface SignatureCheck {
  readonly signature: Signature;
  readonly request: SignedRequest;
  readonly key: KeyObject;
  /** SHA-256 of the body in hex, or what stands for it (`UNSIGNED-PAYLOAD`, `STREAMING-…`). */
  readonly payloadHash: string;
}

/** Whether the request was signed with that key, byte for byte as it arrived. */
export function isSignatureValid({ signature, request, key, payloadHash }: SignatureCheck): boolean {
  const canonical = canonicalRequest(signature, request, payloadHash);
  const { timestamp, date, region, service } = signature;
  const text = `AWS4-HMAC-SHA256\n${timestamp}\n${date}/${region}/${service}/aws4_request\n${hash("sha256", canonical)}`;
  const expected = createHmac("sha256", key).update(text).digest();
  const given = Buffer.from(signature.signature, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function canonicalRequest(signature: Signature, request: SignedRequest, payloadHash: string): string {
  const path = signature.service === "s3" ? canonicalS3Path(request.rawPath) : canonicalPath(request.rawPath);
  let headers = "";
  for (const name of signature.signedHeaders) headers += `${name}:${headerValue(request.headers[name])}\n`;
  const query = canonicalQuery(request.rawQuery, signature.kind === "query");
  return `${request.method}\n${path}\n${query}\n${headers}\n${signature.signedHeaders.join(";")}\n${payloadHash}`;
}

function headerValue(value: string | readonly string[] | undefined): string {
  const text = typeof value === "string" ? value : (value ?? []).join(",");
  return text.trim().replaceAll(/ +/g, " ");
}

/** All services but S3 normalise the path and code the already coded once more. */
function canonicalPath(rawPath: string): string {
  if (rawPath === "/" || rawPath === "") return "/";
  const segments: string[] = [];
  for (const segment of rawPath.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  const trailing = segments.length > 0 && rawPath.endsWith("/") ? "/" : "";
  return percentCode(`/${segments.join("/")}${trailing}`, true);
}

function canonicalS3Path(rawPath: string): string {
  return percentCode(percentDecode(rawPath), true);
}

function canonicalQuery(rawQuery: string, presigned: boolean): string {
  if (rawQuery === "") return "";
  const pairs: (readonly [string, string])[] = [];
  for (const part of rawQuery.split("&")) {
    if (part === "") continue;
    const cut = part.indexOf("=");
    const name = cut < 0 ? part : part.slice(0, cut);
    if (presigned && name === "X-Amz-Signature") continue;
    pairs.push([recode(name), cut < 0 ? "" : recode(part.slice(cut + 1))]);
  }
  pairs.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const plain = /^[A-Za-z0-9_.~-]*$/;

function recode(text: string): string {
  return plain.test(text) ? text : percentCode(percentDecode(text), false);
}

function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const plainPath = /^[A-Za-z0-9_.~/-]*$/;

function percentCode(text: string, keepSlash: boolean): string {
  if (keepSlash && plainPath.test(text)) return text;
  const coded = encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return keepSlash ? coded.replaceAll("%2F", "/") : coded;
}

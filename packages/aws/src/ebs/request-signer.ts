import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";
import type { SdkCredentials } from "../aws-credentials.ts";

export interface SignableRequest {
  readonly method: string;
  /** Percent-coded, as it is sent. */
  readonly path: string;
  /** As `canonicalQuery` makes it; sent as it is. */
  readonly query: string;
  /** Names in lower case; `host` among them. All are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body in hex. */
  readonly payloadHash: string;
}

export interface RequestSigner {
  /** The request's headers with those that the signature adds. `atMs` is AWS's time, as well as it is known. */
  sign(request: SignableRequest, credentials: SdkCredentials, atMs: number): Record<string, string>;
}

export const emptyPayloadHash = hash("sha256", "");

/**
 * AWS Signature Version 4 in the header, for services that aren't S3
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html). A day's key is derived once.
 */
export function openRequestSigner(scope: {
  readonly region: string;
  readonly service: string;
}): RequestSigner {
  const { region, service } = scope;
  let known: { readonly secret: string; readonly date: string; readonly key: KeyObject } | undefined;

  function keyOf(secret: string, date: string): KeyObject {
    if (known === undefined || known.secret !== secret || known.date !== date) {
      let key: Buffer = Buffer.from(`AWS4${secret}`);
      for (const part of [date, region, service, "aws4_request"]) key = hmac(key, part);
      // From a buffer such an object would be made for every signature, which takes longer than the signature.
      known = { secret, date, key: createSecretKey(key) };
    }
    return known.key;
  }

  return {
    sign(request, credentials, atMs) {
      const timestamp = formatAmzDate(atMs);
      const date = timestamp.slice(0, 8);
      const headers: Record<string, string> = { ...request.headers, "x-amz-date": timestamp };
      if (credentials.sessionToken !== undefined) headers["x-amz-security-token"] = credentials.sessionToken;
      const names = Object.keys(headers).sort();
      const signedHeaders = names.join(";");
      const canonical = canonicalRequest(request, { headers, names, signedHeaders });
      const place = `${date}/${region}/${service}/aws4_request`;
      const text = `AWS4-HMAC-SHA256\n${timestamp}\n${place}\n${hash("sha256", canonical)}`;
      const signature = hmac(keyOf(credentials.secretAccessKey, date), text).toString("hex");
      headers["authorization"] =
        `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${place}, ` +
        `SignedHeaders=${signedHeaders}, Signature=${signature}`;
      return headers;
    },
  };
}

/** Sorted and percent-coded as the signature wants it, which is also a valid query string. */
export function canonicalQuery(parameters: Readonly<Record<string, string>>): string {
  const coded = Object.entries(parameters).map(([name, value]) => [percentCode(name), percentCode(value)]);
  coded.sort(([left = ""], [right = ""]) => (left < right ? -1 : 1));
  return coded.map((pair) => pair.join("=")).join("&");
}

/** Everything but the unreserved characters of RFC 3986; throws URIError for half of a surrogate pair. */
export function percentCode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

interface SignedHeaders {
  readonly headers: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  readonly signedHeaders: string;
}

function canonicalRequest(
  request: SignableRequest,
  { headers, names, signedHeaders }: SignedHeaders,
): string {
  let lines = "";
  for (const name of names) lines += `${name}:${headers[name]!.trim().replaceAll(/\s+/g, " ")}\n`;
  const path = canonicalPath(request.path);
  return `${request.method}\n${path}\n${request.query}\n${lines}\n${signedHeaders}\n${request.payloadHash}`;
}

/** Dots and empty segments resolved, then coded once more on top of what is sent. */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(percentCode(segment));
  }
  return `/${segments.join("/")}${segments.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

/** `20261124T000700Z`. */
function formatAmzDate(atMs: number): string {
  return new Date(atMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

function hmac(key: Buffer | KeyObject, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

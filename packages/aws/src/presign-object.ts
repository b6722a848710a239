import { createHash, createHmac } from "node:crypto";
import type { Clock } from "@garrison/core/clock";
import type { CredentialSource } from "./aws-credentials.ts";

export interface PresignRequest {
  readonly bucket: string;
  readonly key: string;
  readonly region: string;
  /** Absent: the public regional endpoint of `partitionSuffix`. */
  readonly endpoint?: string;
  /** `amazonaws.com`, in China `amazonaws.com.cn`. */
  readonly partitionSuffix?: string;
  readonly expiresInSeconds: number;
  readonly credentials: CredentialSource;
}

/**
 * An address that fetches one object without credentials until it expires (SigV4 in the query,
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html). It dies with the credentials that
 * signed it, whatever the expiry says.
 */
export async function presignObject(clock: Clock, request: PresignRequest): Promise<string> {
  const { accessKeyId, secretAccessKey, sessionToken } = await request.credentials();
  const suffix = request.partitionSuffix ?? "amazonaws.com";
  const base = request.endpoint ?? `https://s3.${request.region}.${suffix}`;
  const url = new URL(`${base.replace(/\/$/, "")}/${request.bucket}/${encodePath(request.key)}`);
  const time = new Date(clock.now()).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${request.region}/s3/aws4_request`;
  const query = new Map([
    ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
    ["X-Amz-Credential", `${accessKeyId}/${scope}`],
    ["X-Amz-Date", time],
    ["X-Amz-Expires", String(request.expiresInSeconds)],
    ["X-Amz-SignedHeaders", "host"],
  ]);
  if (sessionToken !== undefined) query.set("X-Amz-Security-Token", sessionToken);
  const canonicalQuery = [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
  const canonical = [
    "GET",
    url.pathname,
    canonicalQuery,
    `host:${url.host}\n`,
    "host",
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", time, scope, createHash("sha256").update(canonical).digest("hex")].join(
    "\n",
  );
  const key = [request.region, "s3", "aws4_request"].reduce<Buffer>(
    hmac,
    hmac(`AWS4${secretAccessKey}`, time.slice(0, 8)),
  );
  return `${url.origin}${url.pathname}?${canonicalQuery}&X-Amz-Signature=${hmac(key, toSign).toString("hex")}`;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** RFC 3986, which is stricter than encodeURIComponent. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function encodePath(key: string): string {
  return key.split("/").map(encode).join("/");
}

import type { IncomingMessage } from "node:http";
import { readBucketAddress } from "./bucket-address.ts";
import type { ProtocolRequest } from "./protocol.ts";
import { parseSignature, type ParsedSignature } from "./signature.ts";

/** A request once its address and signature are read, before its body. */
export interface Incoming {
  readonly message: IncomingMessage;
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly query: URLSearchParams;
  readonly signature: ParsedSignature;
  /** Signing name; `s3` for unsigned requests that aren't a form. */
  readonly service: string;
}

export function readIncoming(message: IncomingMessage): Incoming {
  const url = message.url ?? "/";
  const cut = url.indexOf("?");
  const rawPath = cut < 0 ? url : url.slice(0, cut);
  const rawQuery = cut < 0 ? "" : url.slice(cut + 1);
  const method = message.method ?? "GET";
  const query = new URLSearchParams(rawQuery);
  const signature = parseSignature({ method, rawPath, rawQuery, headers: message.headers }, query);
  return { message, method, rawPath, rawQuery, query, signature, service: serviceOf(signature, message) };
}

function serviceOf(signature: ParsedSignature, message: IncomingMessage): string {
  if (typeof signature === "object") return signature.service;
  if (message.headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) return "sts";
  return "s3";
}

/** The request as the service's protocol reads it: for S3 without the bucket in its path. */
export function protocolRequest(incoming: Incoming): ProtocolRequest {
  const { method, rawPath, query, message } = incoming;
  const { headers } = message;
  if (incoming.service !== "s3") return { method, path: rawPath, query, headers };
  const { bucket, path } = readBucketAddress(headers.host ?? "localhost", rawPath);
  return { method, path, query, headers, bucket };
}

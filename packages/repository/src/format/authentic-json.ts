import { createHmac, timingSafeEqual } from "node:crypto";
import { formatJson, type JsonObject } from "./json-fields.ts";

const before = Buffer.from(',"mac":"');
const after = Buffer.from('"}');
const macCharacters = 44;
const tailBytes = before.length + macCharacters + after.length;

/**
 * JSON that lies open but can't be changed: its last member, `mac`, is HMAC-SHA-256 in base64 over all the bytes before
 * `,"mac":`.
 */
export function formatAuthenticJson(value: JsonObject, key: Uint8Array): Uint8Array {
  return appendMac(formatJson(value).subarray(0, -1), key);
}

/** `body` is an object's text up to its closing brace. */
export function appendMac(body: Uint8Array, key: Uint8Array): Uint8Array {
  return Buffer.concat([body, before, Buffer.from(macOf(key, body)), after]);
}

/** Whether the bytes are as the holder of `key` wrote them. */
export function isAuthenticJson(bytes: Uint8Array, key: Uint8Array): boolean {
  if (bytes.length < tailBytes) return false;
  const split = bytes.length - tailBytes;
  const wanted = Buffer.concat([before, Buffer.from(macOf(key, bytes.subarray(0, split))), after]);
  return timingSafeEqual(bytes.subarray(split), wanted);
}

function macOf(key: Uint8Array, body: Uint8Array): string {
  return createHmac("sha256", key).update(body).digest("base64");
}

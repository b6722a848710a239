import type { StoreRequest } from "./store-request.ts";

const namesThatDecide = /\/session\/[0-9a-f]{16}\/(open|base-)|\/(point|end|moved)\//;
const listingsThatDecide = /\/(session|pack|map|point|end|moved)\//;

/** Handshakes, commits, the steps of a pass and deletes: where a long pause would hurt if the protocol were wrong. */
export function isDelicate({ method, key }: StoreRequest): boolean {
  if (method === "delete") return true;
  if (method === "create") return namesThatDecide.test(key);
  return method !== "read" && listingsThatDecide.test(key);
}

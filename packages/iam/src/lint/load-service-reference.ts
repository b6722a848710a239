import { readFile } from "node:fs/promises";
import { parseServiceReference, type ServiceReference } from "./service-reference.ts";

/** Reads the service reference that ships with this package: over a megabyte, so only who lints pays for it. */
export async function loadServiceReference(call: {
  readonly signal: AbortSignal;
}): Promise<ServiceReference> {
  const file = new URL("../../data/service-reference.jsonl", import.meta.url);
  return parseServiceReference(await readFile(file, { encoding: "utf8", signal: call.signal }));
}

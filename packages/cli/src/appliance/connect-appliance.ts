import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openApiClient, type ApiClient } from "@garrison/api/client";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { CliContext } from "../cli-context.ts";

export interface ConnectionFlags {
  /** The appliance's own folder, on its own machine. */
  readonly data?: string;
  readonly json?: true;
}

/** By `GARRISON_URL` and `GARRISON_TOKEN`, or by what a running appliance wrote into its folder. */
export async function connectAppliance(flags: ConnectionFlags, context: CliContext): Promise<ApiClient> {
  const { environment } = context;
  const folder = flags.data ?? environment["GARRISON_DATA"] ?? defaultDataFolder(context);
  const url = environment["GARRISON_URL"] ?? (await readFolderFile(folder, "url"));
  const token = environment["GARRISON_TOKEN"] ?? (await readFolderFile(folder, "token"));
  if (!isHttpAddress(url)) {
    throw new GarrisonError("connection-unknown", `the appliance's address ${url} is not http://host:port`);
  }
  return openApiClient({ url, token });
}

function isHttpAddress(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}

export function defaultDataFolder({ environment }: CliContext): string {
  return join(environment["HOME"] ?? ".", ".garrison");
}

async function readFolderFile(folder: string, name: string): Promise<string> {
  try {
    return (await readFile(join(folder, name), "utf8")).trim();
  } catch (error) {
    throw new GarrisonError("connection-unknown", `${join(folder, name)} can't be read`, { cause: error });
  }
}

/** One for each command that is given: sent again by a retry, it does nothing twice. */
export function newIdempotencyKey(): string {
  return randomUUID();
}

import { GarrisonError } from "@garrison/core/garrison-error";
import { publicKeysSchema, type PublicKeys } from "./peer-identity.ts";

/**
 * The line by which a worker tells its public keys. The appliance reads it from the output of the command that it sent
 * to the instance that it launched: AWS vouches for where it comes from.
 */
const announcementName = "garrison-worker-keys";

export function formatAnnouncement(worker: string, keys: PublicKeys): string {
  return `${announcementName} 1 ${worker} ${keys.signKey} ${keys.sealKey}`;
}

/** Finds the announcement of `worker` in a command's output. Throws `announcement-invalid`; also when there are two. */
export function parseAnnouncement(output: string, worker: string): PublicKeys {
  const lines = output.split("\n").filter((line) => line.startsWith(`${announcementName} `));
  const distinct = [...new Set(lines.map((line) => line.trim()))];
  const [line = ""] = distinct;
  const [, version, name, signKey, sealKey, ...rest] = line.split(" ");
  const keys = publicKeysSchema.safeParse({ signKey, sealKey });
  if (distinct.length === 1 && version === "1" && name === worker && rest.length === 0 && keys.success) {
    return keys.data;
  }
  const found =
    distinct.length === 0 ? "no line with keys" : `${distinct.length} lines with keys, none usable`;
  throw new GarrisonError("announcement-invalid", `the bootstrap of worker ${worker} printed ${found}`);
}

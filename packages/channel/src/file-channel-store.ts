import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { GarrisonError } from "@garrison/core/garrison-error";
import { storedChannelSchema, type ChannelStore, type StoredChannel } from "./channel-store.ts";

/**
 * The record as one JSON file that only its owner can read, replaced as a whole and synced before `save` resolves. For
 * one process at a time: a second one is noticed at its next save, not locked out.
 */
export function fileChannelStore(path: string): ChannelStore {
  const load = async (): Promise<StoredChannel | undefined> => {
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw new GarrisonError("channel-store-invalid", `reading ${path}`, { cause: error });
    });
    return text === undefined ? undefined : parseRecord(path, text);
  };
  return {
    load,
    save: async (record) => {
      if (((await load())?.revision ?? 0) !== record.revision - 1) return false;
      await replaceFile(path, JSON.stringify(record));
      return true;
    },
  };
}

function parseRecord(path: string, text: string): StoredChannel {
  try {
    return storedChannelSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new GarrisonError("channel-store-invalid", `${path} does not hold the record of a channel`, {
      cause: error,
    });
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { link, mkdir, open, readdir, stat, unlink, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { throwIfAborted } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { minuteMs } from "@garrison/core/units";
import type { ByteRange, ObjectStore, StoreCall, StoredObject } from "./object-store.ts";

const temporaryFolder = ".garrison-tmp";
const keyPattern = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;

/** No creation takes so long: a temporary file of this age was left behind by a process that died. */
const abandonedAfterMs = 24 * 60 * minuteMs;

interface FolderPlace {
  readonly folder: string;
  /** Folders whose names are known to be durable. */
  readonly syncedFolders: Set<string>;
  /** Begun by the first creation: readers change nothing. */
  tidying?: Promise<void>;
}

/**
 * A store in a folder: temporary file, fsync, **hard link** to the final name (a rename would overwrite), fsync of the
 * folder. So an object is whole and durable before it is acknowledged, whatever dies meanwhile. Several creations may be
 * under way at once; that is how a writer's packs reach the disk in the background. Needs a file system with hard links.
 * Objects are read-only files.
 */
export function openFolderObjectStore(options: { readonly folder: string }): ObjectStore {
  const { folder } = options;
  const place: FolderPlace = { folder, syncedFolders: new Set() };
  return {
    address: `file://${folder}`,
    create: (key, bytes, call) => createObject(place, { key, bytes }, call),
    read: (key, call) => readObject(folder, key, call),
    list: (prefix, call) => listObjects(folder, prefix, call),
    listFolders: (prefix, call) => listFolders(folder, prefix, call),
    async delete(key, call) {
      throwIfAborted(call.signal);
      const path = pathOf(folder, key);
      await unlink(path).catch((error: unknown) => {
        if (codeOf(error) !== "ENOENT") throw translate(error, `deleting ${key}`);
      });
    },
  };
}

function pathOf(folder: string, key: string): string {
  const parts = key.split("/");
  const isReserved = parts[0] === temporaryFolder || parts.some((part) => part === "." || part === "..");
  if (!keyPattern.test(key) || isReserved) {
    throw new GarrisonError("usage", `"${key}" can't be an object's name`);
  }
  return join(folder, key);
}

async function createObject(
  place: FolderPlace,
  object: { readonly key: string; readonly bytes: Uint8Array },
  call: StoreCall,
): Promise<"created" | "exists"> {
  throwIfAborted(call.signal);
  const path = pathOf(place.folder, object.key);
  const temporary = join(place.folder, temporaryFolder, temporaryName(object.key));
  try {
    await prepareFolder(place, dirname(temporary));
    await prepareFolder(place, dirname(path));
    await writeDurably(temporary, object.bytes);
    await (place.tidying ??= removeAbandoned(temporary).catch(() => undefined));
    const outcome = await linkOnce(temporary, path);
    await syncFolder(dirname(path));
    return outcome;
  } catch (error) {
    throw translate(error, `storing ${object.key}`);
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

function temporaryName(key: string): string {
  return `${createHash("sha256").update(key).digest("hex").slice(0, 16)}-${randomUUID()}`;
}

/** Removes what dead processes left in the temporary folder: old ones only, measured by the file system's own clock. */
async function removeAbandoned(fresh: string): Promise<void> {
  const folder = dirname(fresh);
  const { mtimeMs: nowMs } = await stat(fresh);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const facts = await stat(path).catch(() => undefined);
    if (facts !== undefined && nowMs - facts.mtimeMs > abandonedAfterMs)
      await unlink(path).catch(() => undefined);
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx", 0o440);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function linkOnce(from: string, to: string): Promise<"created" | "exists"> {
  try {
    await link(from, to);
    return "created";
  } catch (error) {
    if (codeOf(error) === "EEXIST") return "exists";
    throw error;
  }
}

/** Makes a folder and makes its name durable in each parent that had to be made. */
async function prepareFolder(place: FolderPlace, folder: string): Promise<void> {
  if (place.syncedFolders.has(folder)) return;
  const firstMade = await mkdir(folder, { recursive: true });
  if (firstMade !== undefined) {
    for (let each = folder; each.length >= firstMade.length; each = dirname(each))
      await syncFolder(dirname(each));
  }
  place.syncedFolders.add(folder);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readObject(
  folder: string,
  key: string,
  call: StoreCall & { readonly range?: ByteRange },
): Promise<Uint8Array> {
  throwIfAborted(call.signal);
  let file: FileHandle | undefined;
  try {
    file = await open(pathOf(folder, key), constants.O_RDONLY);
    const { offset, length } = call.range ?? { offset: 0, length: (await file.stat()).size };
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let filled = 0; filled < length;) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) {
        throw new GarrisonError("object-truncated", `${key} ends before byte ${offset + length}`);
      }
      filled += bytesRead;
    }
    return bytes;
  } catch (error) {
    if (isAbsence(error)) throw new GarrisonError("object-missing", `${key} is not there`, { cause: error });
    throw translate(error, `reading ${key}`);
  } finally {
    await file?.close();
  }
}

/** No such file, or one end of the name is a folder where the other has a file. */
function isAbsence(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "EISDIR"].includes(codeOf(error) ?? "");
}

interface FolderEntry {
  readonly key: string;
  readonly isFolder: boolean;
}

/** What lies directly in a folder, in the order that the keys below have as bytes. */
async function readFolder(folder: string, key: string): Promise<readonly FolderEntry[]> {
  try {
    const entries = await readdir(join(folder, key), { withFileTypes: true });
    return entries
      .filter((entry) => key !== "" || entry.name !== temporaryFolder)
      .map((entry) => ({
        key: key + entry.name + (entry.isDirectory() ? "/" : ""),
        isFolder: entry.isDirectory(),
      }))
      .sort((left, right) => Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)));
  } catch (error) {
    if (isAbsence(error)) return [];
    throw translate(error, `listing ${key}`);
  }
}

async function* listObjects(
  folder: string,
  prefix: string,
  call: StoreCall & { readonly startAfter?: string },
): AsyncGenerator<StoredObject> {
  yield* walk(prefix.slice(0, prefix.lastIndexOf("/") + 1));

  async function* walk(key: string): AsyncGenerator<StoredObject> {
    for (const entry of await readFolder(folder, key)) {
      throwIfAborted(call.signal);
      if (!entry.key.startsWith(prefix) && !(entry.isFolder && prefix.startsWith(entry.key))) continue;
      if (entry.isFolder) {
        yield* walk(entry.key);
        continue;
      }
      if (call.startAfter !== undefined && isNotAfter(entry.key, call.startAfter)) continue;
      const facts = await factsOf(folder, entry.key);
      if (facts !== undefined) yield facts;
    }
  }
}

function isNotAfter(key: string, startAfter: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(startAfter)) <= 0;
}

/** Nothing when the object was deleted meanwhile. */
async function factsOf(folder: string, key: string): Promise<StoredObject | undefined> {
  try {
    const facts = await stat(join(folder, key));
    return { key, sizeBytes: facts.size, modifiedMs: Math.floor(facts.mtimeMs) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw translate(error, `listing ${key}`);
  }
}

async function* listFolders(folder: string, prefix: string, call: StoreCall): AsyncGenerator<string> {
  for (const entry of await readFolder(folder, prefix)) {
    throwIfAborted(call.signal);
    if (entry.isFolder) yield entry.key;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

function translate(error: unknown, doing: string): GarrisonError {
  if (error instanceof GarrisonError) return error;
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new GarrisonError("store-full", `${doing}: no space is left`, { cause: error });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new GarrisonError("store-access-denied", `${doing} is not permitted`, { cause: error });
  }
  return new GarrisonError("store-unavailable", `${doing} failed`, { cause: error });
}

import { throwIfAborted, type Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { compareBytes, readWithin } from "./memory-object-store.ts";
import type {
  LockMode,
  ObjectStore,
  ObjectVersions,
  Retention,
  StoreCall,
  StoredVersion,
  VersionName,
} from "./object-store.ts";

export interface MemoryVersion {
  readonly versionId: string;
  /** Nothing in a delete marker. */
  readonly bytes: Uint8Array | undefined;
  readonly modifiedMs: number;
  retention?: Retention;
}

export interface VersionedMemoryOptions {
  readonly clock: Clock;
  /** What `retainUntilMs` asks for; without it the store keeps versions and no locks. */
  readonly lockMode?: LockMode;
  /** A lock on each new version for which none is asked. */
  readonly defaultRetention?: { readonly mode: LockMode; readonly durationMs: number };
}

export interface VersionedMemoryStore extends ObjectStore {
  readonly versions: ObjectVersions;
  /** All versions by key, newest first; tests may damage and remove them, whatever is locked. */
  readonly objects: Map<string, MemoryVersion[]>;
  /** What somebody else does who may write to the bucket: puts a version over the one there is. */
  overwrite(key: string, bytes: Uint8Array): void;
  /** The same, with a delete marker. */
  hide(key: string): void;
}

/** A versioned store in memory, with Object Lock as S3 has it: for tests, simulations and nothing else. */
export function openVersionedMemoryStore(options: VersionedMemoryOptions): VersionedMemoryStore {
  const { clock } = options;
  const objects = new Map<string, MemoryVersion[]>();
  let made = 0;
  const put = (key: string, version: Pick<MemoryVersion, "bytes" | "retention">) => {
    const modifiedMs = Math.floor(clock.now() / 1000) * 1000;
    const versionId = `v${String(++made).padStart(8, "0")}`;
    objects.set(key, [{ versionId, modifiedMs, ...version }, ...(objects.get(key) ?? [])]);
  };
  const list: ObjectStore["list"] = async function* (prefix, call) {
    for (const key of sortedKeys(objects, { prefix, ...call })) {
      throwIfAborted(call.signal);
      const [latest] = objects.get(key) ?? [];
      if (latest?.bytes === undefined) continue;
      yield { key, sizeBytes: latest.bytes.length, modifiedMs: latest.modifiedMs };
    }
  };
  return {
    address: "memory:versioned",
    objects,
    overwrite: (key, bytes) => put(key, { bytes: new Uint8Array(bytes), ...lockOf(options, undefined) }),
    hide: (key) => put(key, { bytes: undefined }),
    async create(key, bytes, call) {
      throwIfAborted(call.signal);
      if (objects.get(key)?.[0]?.bytes !== undefined) return "exists";
      put(key, { bytes: new Uint8Array(bytes), ...lockOf(options, call.retainUntilMs) });
      return "created";
    },
    async read(key, call) {
      throwIfAborted(call.signal);
      return readWithin(key, objects.get(key)?.[0]?.bytes, call.range);
    },
    list,
    listFolders: (prefix, call) => foldersOf(prefix, list(prefix, call)),
    async delete(key, call) {
      throwIfAborted(call.signal);
      put(key, { bytes: undefined });
    },
    versions: openVersions(options, objects),
  };
}

function openVersions(
  options: VersionedMemoryOptions,
  objects: Map<string, MemoryVersion[]>,
): ObjectVersions {
  const { clock, lockMode } = options;
  const find = ({ key, versionId }: VersionName, call: StoreCall) => {
    throwIfAborted(call.signal);
    return objects.get(key)?.find((version) => version.versionId === versionId);
  };
  const list: ObjectVersions["list"] = async function* (prefix, call) {
    for (const key of sortedKeys(objects, { prefix, ...call })) {
      throwIfAborted(call.signal);
      yield* describeVersions(key, objects.get(key) ?? []);
    }
  };
  return {
    ...(lockMode === undefined ? {} : { lockMode }),
    list,
    listFolders: (prefix, call) => foldersOf(prefix, list(prefix, call)),
    read: async (name, call) => readWithin(name.key, find(name, call)?.bytes, call.range),
    async delete(name, call) {
      const retention = find(name, call)?.retention;
      if (retention !== undefined && retention.untilMs > clock.now()) throw locked(name, retention.untilMs);
      const left = (objects.get(name.key) ?? []).filter((each) => each.versionId !== name.versionId);
      if (left.length > 0) objects.set(name.key, left);
      else objects.delete(name.key);
    },
    readRetention: async (name, call) => find(name, call)?.retention,
    async extendRetention(name, untilMs, call) {
      const version = find(name, call);
      if (lockMode === undefined) throw new GarrisonError("locks-unsupported", "this store has no locks");
      if (version?.bytes === undefined) throw new GarrisonError("object-missing", `${name.key} is not there`);
      if (untilMs <= clock.now()) throw new GarrisonError("usage", `a lock until ${untilMs} would be over`);
      const before = version.retention;
      if (before !== undefined && before.untilMs >= untilMs) return;
      version.retention = { mode: before?.mode ?? lockMode, untilMs };
    },
  };
}

async function* foldersOf(
  prefix: string,
  objects: AsyncIterable<{ readonly key: string }>,
): AsyncGenerator<string> {
  const names = new Set<string>();
  for await (const { key } of objects) {
    const end = key.indexOf("/", prefix.length);
    if (end >= 0) names.add(key.slice(0, end + 1));
  }
  yield* names;
}

function lockOf(
  { clock, lockMode, defaultRetention }: VersionedMemoryOptions,
  retainUntilMs: number | undefined,
): { readonly retention?: Retention } {
  if (retainUntilMs !== undefined && lockMode !== undefined) {
    if (retainUntilMs <= clock.now())
      throw new GarrisonError("usage", `a lock until ${retainUntilMs} would be over`);
    return { retention: { mode: lockMode, untilMs: retainUntilMs } };
  }
  if (defaultRetention === undefined) return {};
  const { mode, durationMs } = defaultRetention;
  return { retention: { mode, untilMs: clock.now() + durationMs } };
}

/** The error for a version that can't be deleted yet. */
export function locked(version: VersionName, untilMs: number): GarrisonError {
  const until = new Date(untilMs).toISOString();
  return new GarrisonError("object-locked", `${version.key} is locked until ${until}`, {
    details: { versionId: version.versionId, untilMs },
  });
}

function* describeVersions(key: string, versions: readonly MemoryVersion[]): Generator<StoredVersion> {
  for (const [age, { versionId, bytes, modifiedMs }] of [...versions].entries()) {
    const sizeBytes = bytes?.length ?? 0;
    yield { key, versionId, sizeBytes, modifiedMs, isLatest: age === 0, isDeleteMarker: bytes === undefined };
  }
}

function sortedKeys(
  objects: ReadonlyMap<string, unknown>,
  { prefix, startAfter }: { readonly prefix: string; readonly startAfter?: string },
): string[] {
  return [...objects.keys()]
    .filter((key) => key.startsWith(prefix))
    .filter((key) => startAfter === undefined || compareBytes(key, startAfter) > 0)
    .sort(compareBytes);
}

import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { systemRandom } from "@garrison/core/random";
import { openDigest, type ChecksumAlgorithm } from "./checksums.ts";

/** A run of an object's bytes in one file; a multipart object has one for each part. */
export interface Segment {
  readonly file: string;
  readonly sizeBytes: number;
}

export interface WrittenBlob {
  readonly segment: Segment;
  readonly md5: Buffer;
  /** Base64, as S3 writes them. */
  readonly digests: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}

export interface ByteRange {
  readonly start: number;
  /** The last byte's position, inclusive, as in HTTP. */
  readonly end: number;
}

/** Object contents as files. A body is written under `incoming/` and renamed when whole, so a killed lab leaves no half object. */
export interface BlobStore {
  write(body: AsyncIterable<Uint8Array>, algorithms: readonly ChecksumAlgorithm[]): Promise<WrittenBlob>;
  read(segments: readonly Segment[], range?: ByteRange): Readable;
  delete(segments: readonly Segment[]): Promise<void>;
  /** Removes whatever isn't in `known`: left-overs of a killed lab. */
  sweep(known: ReadonlySet<string>): Promise<void>;
}

const flushAtBytes = 1 << 20;

export async function openBlobStore(folder: string): Promise<BlobStore> {
  const incoming = join(folder, "incoming");
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const pathOf = (file: string) => join(folder, file.slice(0, 2), file);
  // A replaced object's later segments must stay until readers of its earlier ones are through.
  const readers = new Map<string, number>();
  const doomed = new Set<string>();

  async function* readHeld(segments: readonly Segment[], range?: ByteRange): AsyncGenerator<Uint8Array> {
    for (const { file } of segments) readers.set(file, (readers.get(file) ?? 0) + 1);
    try {
      yield* readSegments(segments, range, pathOf);
    } finally {
      for (const { file } of segments) await release(file);
    }
  }

  async function release(file: string): Promise<void> {
    const left = (readers.get(file) ?? 1) - 1;
    if (left > 0) return void readers.set(file, left);
    readers.delete(file);
    if (doomed.delete(file)) await rm(pathOf(file), { force: true });
  }

  return {
    async write(body, algorithms) {
      const file = Buffer.from(systemRandom.bytes(16)).toString("hex");
      const temporary = join(incoming, file);
      try {
        const written = await writeFile(temporary, body, algorithms);
        await mkdir(join(folder, file.slice(0, 2)), { recursive: true });
        await rename(temporary, pathOf(file));
        return { ...written, segment: { file, sizeBytes: written.sizeBytes } };
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    read: (segments, range) => Readable.from(readHeld(segments, range), { objectMode: false }),
    async delete(segments) {
      for (const { file } of segments) {
        if (readers.has(file)) doomed.add(file);
        else await rm(pathOf(file), { force: true });
      }
    },
    async sweep(known) {
      for (const group of await readdir(folder)) {
        if (group === "incoming") continue;
        for (const file of await readdir(join(folder, group))) {
          if (!known.has(file)) await rm(join(folder, group, file), { force: true });
        }
      }
    },
  };
}

async function writeFile(
  path: string,
  body: AsyncIterable<Uint8Array>,
  algorithms: readonly ChecksumAlgorithm[],
) {
  const md5 = openDigest("MD5");
  const running = [...new Set(algorithms)].map((algorithm) => ({ algorithm, digest: openDigest(algorithm) }));
  const handle = await open(path, "wx");
  let sizeBytes = 0;
  try {
    let pending: Uint8Array[] = [];
    let pendingBytes = 0;
    for await (const chunk of body) {
      md5.update(chunk);
      for (const { digest } of running) digest.update(chunk);
      sizeBytes += chunk.length;
      pending.push(chunk);
      pendingBytes += chunk.length;
      if (pendingBytes < flushAtBytes) continue;
      await writeAll(handle, pending);
      pending = [];
      pendingBytes = 0;
    }
    await writeAll(handle, pending);
  } finally {
    await handle.close();
  }
  const digests = Object.fromEntries(
    running.map(({ algorithm, digest }) => [algorithm, digest.digest().toString("base64")]),
  ) as Partial<Record<ChecksumAlgorithm, string>>;
  return { sizeBytes, md5: md5.digest(), digests };
}

/** `writev` may write less than asked for; what is left goes in plain writes. */
async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  if (chunks.length === 0) return;
  const { bytesWritten } = await handle.writev(chunks);
  let skip = bytesWritten;
  for (const chunk of chunks) {
    if (skip >= chunk.length) {
      skip -= chunk.length;
      continue;
    }
    await handle.appendFile(chunk.subarray(skip));
    skip = 0;
  }
}

async function* readSegments(
  segments: readonly Segment[],
  range: ByteRange | undefined,
  pathOf: (file: string) => string,
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (const { file, sizeBytes } of segments) {
    const start = Math.max(0, (range?.start ?? 0) - offset);
    const end = Math.min(sizeBytes - 1, (range?.end ?? Number.MAX_SAFE_INTEGER) - offset);
    offset += sizeBytes;
    if (start > end) continue;
    yield* createReadStream(pathOf(file), { start, end, highWaterMark: 256 * 1024 });
  }
}

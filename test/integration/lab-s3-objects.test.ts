import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  type CompletedPart,
} from "@aws-sdk/client-s3";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { afterAll, beforeAll, expect, test } from "vitest";

const account = "111111111111";
const Bucket = "objects-under-test";
let folder: string;
let lab: RunningLab;
let s3: S3Client;

function clientOf(running: RunningLab): S3Client {
  return new S3Client({
    endpoint: running.endpoint,
    region: "eu-central-1",
    forcePathStyle: true,
    credentials: running.operators[account]!,
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-s3-"));
  lab = await startLab({ dataDir: folder, seed: "demo" });
  s3 = clientOf(lab);
  await s3.send(
    new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: "eu-central-1" } }),
  );
});

afterAll(async () => {
  s3.destroy();
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

const put = (Key: string, Body: string | Uint8Array | Readable, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const read = async (Key: string, more: object = {}) => {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return Buffer.from(await answer.Body!.transformToByteArray());
};
const failure = async (work: Promise<unknown>) => {
  const error = (await work.then(
    () => undefined,
    (caught: unknown) => caught,
  )) as { name: string; $metadata?: { httpStatusCode?: number } } | undefined;
  return error && `${error.name} ${error.$metadata?.httpStatusCode}`;
};

test("an object comes back with its bytes, headers, metadata and tags", async () => {
  const answer = await put("a/first ü+.txt", "hello", {
    ContentType: "text/plain",
    Metadata: { colour: "blue" },
    Tagging: "team=backup&stage=one",
  });
  expect(answer.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
  expect(answer.ChecksumCRC32).toBe("NhCmhg==");
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: "a/first ü+.txt", ChecksumMode: "ENABLED" }));
  expect(await got.Body!.transformToString()).toBe("hello");
  expect(got).toMatchObject({
    ContentType: "text/plain",
    ContentLength: 5,
    Metadata: { colour: "blue" },
    TagCount: 2,
    ChecksumCRC32: "NhCmhg==",
    ServerSideEncryption: "AES256",
  });
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "a/first ü+.txt" }));
  expect(head.ContentLength).toBe(5);
});

test("streams are taken as they come, with a checksum behind the body", async () => {
  const bytes = randomBytes(3_000_000);
  const chunks = Array.from({ length: 30 }, (_, index) =>
    bytes.subarray(index * 100_000, (index + 1) * 100_000),
  );
  await put("stream", Readable.from(chunks, { objectMode: false }), {
    ContentLength: bytes.length,
    ChecksumAlgorithm: "CRC32C",
  });
  expect((await read("stream")).equals(bytes)).toBe(true);
});

test("a wrong checksum or MD5 leaves nothing behind", async () => {
  expect(await failure(put("bad", "data", { ChecksumCRC32: "AAAAAA==" }))).toBe("BadDigest 400");
  expect(await failure(put("bad", "data", { ContentMD5: "1B2M2Y8AsgTpgAmY7PhCfg==" }))).toBe("BadDigest 400");
  expect(await failure(s3.send(new HeadObjectCommand({ Bucket, Key: "bad" })))).toBe("NotFound 404");
  expect(await readdir(join(folder, "s3", "incoming"))).toEqual([]);
});

test("ranges are partial contents; one beyond the end is refused", async () => {
  await put("digits", "0123456789");
  expect(String(await read("digits", { Range: "bytes=2-4" }))).toBe("234");
  expect(String(await read("digits", { Range: "bytes=-2" }))).toBe("89");
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key: "digits", Range: "bytes=8-" }));
  expect(answer.$metadata.httpStatusCode).toBe(206);
  expect(answer.ContentRange).toBe("bytes 8-9/10");
  await answer.Body!.transformToString();
  expect(await failure(read("digits", { Range: "bytes=10-" }))).toBe("InvalidRange 416");
});

test("reads are conditional", async () => {
  const { ETag = "" } = await put("conditional", "x");
  expect(String(await read("conditional", { IfMatch: ETag }))).toBe("x");
  expect(await failure(read("conditional", { IfMatch: '"0"' }))).toBe("PreconditionFailed 412");
  expect(await failure(read("conditional", { IfNoneMatch: ETag }))).toMatch(/ 304$/);
  expect(await failure(read("conditional", { IfUnmodifiedSince: new Date(0) }))).toBe(
    "PreconditionFailed 412",
  );
});

test("of many that create one key, exactly one wins", async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, (_, index) => failure(put("race", `writer ${index}`, { IfNoneMatch: "*" }))),
  );
  expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(1);
  expect(new Set(outcomes.filter((outcome) => outcome !== undefined))).toEqual(
    new Set(["PreconditionFailed 412"]),
  );
  expect(String(await read("race"))).toMatch(/^writer/);
});

test("a replacement needs the current ETag", async () => {
  const { ETag = "" } = await put("replace", "one");
  expect(await failure(put("replace", "two", { IfMatch: '"0"' }))).toBe("PreconditionFailed 412");
  await put("replace", "two", { IfMatch: ETag });
  expect(await failure(put("nothing", "x", { IfMatch: ETag }))).toBe("NoSuchKey 404");
});

test("a delete during a conditional write makes it a conflict", async () => {
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "slow" }));
  await put("slow", "old");
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "slow" }));
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  async function* body() {
    yield Buffer.alloc(100_000);
    await released;
    yield Buffer.alloc(100_000);
  }
  const writing = failure(
    put("slow", Readable.from(body(), { objectMode: false }), { IfNoneMatch: "*", ContentLength: 200_000 }),
  );
  while ((await readdir(join(folder, "s3", "incoming"))).length === 0)
    await new Promise((next) => setTimeout(next, 5));
  await put("slow", "between");
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "slow" }));
  release();
  expect(await writing).toBe("ConditionalRequestConflict 409");
});

test("listings page, group and start where they are told", async () => {
  await Promise.all(["l/a/1", "l/a/2", "l/b", "l/c/1", "l/d"].map((Key) => put(Key, Key)));
  const first = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "l/", Delimiter: "/", MaxKeys: 2 }));
  expect(first.CommonPrefixes).toEqual([{ Prefix: "l/a/" }]);
  expect(first.Contents?.map(({ Key }) => Key)).toEqual(["l/b"]);
  expect(first.IsTruncated).toBe(true);
  const ContinuationToken = first.NextContinuationToken;
  const second = await s3.send(
    new ListObjectsV2Command({ Bucket, Prefix: "l/", Delimiter: "/", ContinuationToken }),
  );
  expect(second.CommonPrefixes).toEqual([{ Prefix: "l/c/" }]);
  expect(second.Contents?.map(({ Key }) => Key)).toEqual(["l/d"]);
  const after = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "l/", StartAfter: "l/b" }));
  expect(after.Contents?.map(({ Key }) => Key)).toEqual(["l/c/1", "l/d"]);
});

test("parts become one object, whose parts and ranges can be read", async () => {
  const parts = [randomBytes(5 << 20), randomBytes(5 << 20), randomBytes(1000)];
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({ Bucket, Key: "big", Metadata: { a: "b" } }),
  );
  const Parts: CompletedPart[] = [];
  for (const [index, Body] of parts.entries()) {
    const PartNumber = index + 1;
    const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key: "big", UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  const listed = await s3.send(new ListPartsCommand({ Bucket, Key: "big", UploadId }));
  expect(listed.Parts?.map(({ Size }) => Size)).toEqual(parts.map(({ length }) => length));
  const complete = () =>
    s3.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key: "big",
        UploadId,
        MultipartUpload: { Parts },
        IfNoneMatch: "*",
      }),
    );
  const done = await complete();
  expect(done.ETag).toMatch(/-3"$/);
  expect((await complete()).ETag).toBe(done.ETag);
  const whole = Buffer.concat(parts);
  expect((await read("big")).equals(whole)).toBe(true);
  const middle = await read("big", { Range: `bytes=${(5 << 20) - 10}-${(5 << 20) + 9}` });
  expect(middle.equals(whole.subarray((5 << 20) - 10, (5 << 20) + 10))).toBe(true);
  expect((await read("big", { PartNumber: 3 })).equals(parts[2]!)).toBe(true);
  await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/big` }));
  expect((await s3.send(new HeadObjectCommand({ Bucket, Key: "copy" }))).Metadata).toEqual({ a: "b" });
});

test("versions stay behind delete markers", async () => {
  const versioned = "versions-under-test";
  await s3.send(
    new CreateBucketCommand({
      Bucket: versioned,
      CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
    }),
  );
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration: { Status: "Enabled" } }),
  );
  const one = await s3.send(new PutObjectCommand({ Bucket: versioned, Key: "k", Body: "1" }));
  await s3.send(new PutObjectCommand({ Bucket: versioned, Key: "k", Body: "2" }));
  const gone = await s3.send(new DeleteObjectCommand({ Bucket: versioned, Key: "k" }));
  expect(gone.DeleteMarker).toBe(true);
  expect(await failure(s3.send(new GetObjectCommand({ Bucket: versioned, Key: "k" })))).toBe("NoSuchKey 404");
  const old = await s3.send(new GetObjectCommand({ Bucket: versioned, Key: "k", VersionId: one.VersionId }));
  expect(await old.Body!.transformToString()).toBe("1");
  const listed = await s3.send(new ListObjectVersionsCommand({ Bucket: versioned }));
  expect(listed.Versions?.map(({ IsLatest }) => IsLatest)).toEqual([false, false]);
  expect(listed.DeleteMarkers).toHaveLength(1);
});

test("many keys are deleted at once", async () => {
  await Promise.all(["x1", "x2"].map((Key) => put(Key, Key)));
  const answer = await s3.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "x1" }, { Key: "x2" }, { Key: "x3" }] } }),
  );
  expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(["x1", "x2", "x3"]);
  expect(answer.Errors ?? []).toEqual([]);
});

test("buckets have an owner and a Region", async () => {
  expect((await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBe("eu-central-1");
  expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toContain(Bucket);
  const create = new CreateBucketCommand({
    Bucket,
    CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
  });
  expect(await failure(s3.send(create))).toBe("BucketAlreadyOwnedByYou 409");
  expect(await failure(s3.send(new ListObjectsV2Command({ Bucket: "no-such-bucket-here" })))).toBe(
    "NoSuchBucket 404",
  );
});

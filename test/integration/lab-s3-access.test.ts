import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { Sha256 } from "@smithy/core/checksum";
import { HttpRequest } from "@smithy/core/transport";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, expect, test } from "vitest";

const region = "eu-central-1";
const account = "111111111111";
const Bucket = "access-under-test";
let folder: string;
let lab: RunningLab;
let owner: S3Client;

const open = (credentials: { accessKeyId: string; secretAccessKey: string }) =>
  new S3Client({ endpoint: lab.endpoint, region, forcePathStyle: true, credentials });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-s3-access-"));
  lab = await startLab({ dataDir: folder, seed: "demo" });
  owner = open(lab.operators[account]!);
  await owner.send(
    new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region } }),
  );
  await owner.send(new PutObjectCommand({ Bucket, Key: "own/1", Body: "one", Tagging: "stage=open" }));
  await owner.send(new PutObjectCommand({ Bucket, Key: "other/1", Body: "two" }));
});

afterAll(async () => {
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A user of the account with exactly these statements. */
async function userWith(UserName: string, Statement: object[]): Promise<S3Client> {
  const iam = new IAMClient({ endpoint: lab.endpoint, region, credentials: lab.operators[account]! });
  await iam.send(new CreateUserCommand({ UserName }));
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "own", PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return open({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! });
}

const allow = (Action: string | string[], Resource: string, Condition?: object) => ({
  Effect: "Allow",
  Action,
  Resource,
  ...(Condition ? { Condition } : {}),
});

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => "success",
    (error: { name: string; $metadata?: { httpStatusCode?: number } }) =>
      `${error.name} ${error.$metadata?.httpStatusCode}`,
  );

test("a missing key is denied to those who can't list, and told to those who can", async () => {
  const reader = await userWith("reader", [allow("s3:GetObject", `arn:aws:s3:::${Bucket}/*`)]);
  const lister = await userWith("lister", [
    allow("s3:GetObject", `arn:aws:s3:::${Bucket}/*`),
    allow("s3:ListBucket", `arn:aws:s3:::${Bucket}`),
  ]);
  const missing = new GetObjectCommand({ Bucket, Key: "own/absent" });
  expect(await outcome(reader.send(missing))).toBe("AccessDenied 403");
  expect(await outcome(lister.send(missing))).toBe("NoSuchKey 404");
  expect(await outcome(reader.send(new HeadObjectCommand({ Bucket, Key: "own/absent" })))).toMatch(/ 403$/);
  expect(await outcome(reader.send(new GetObjectCommand({ Bucket, Key: "own/1" })))).toBe("success");
});

test("a writer that must not overwrite can only create, below its prefix", async () => {
  const prefix = `arn:aws:s3:::${Bucket}/own/*`;
  const writer = await userWith("writer", [
    allow("s3:PutObject", prefix, { Null: { "s3:if-none-match": "false" } }),
    allow("s3:ListBucket", `arn:aws:s3:::${Bucket}`, { StringLike: { "s3:prefix": "own/*" } }),
  ]);
  const put = (Key: string, more: object) =>
    outcome(writer.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...more })));
  expect(await put("own/new", { IfNoneMatch: "*" })).toBe("success");
  expect(await put("own/new", { IfNoneMatch: "*" })).toBe("PreconditionFailed 412");
  expect(await put("own/new", {})).toBe("AccessDenied 403");
  expect(await put("other/new", { IfNoneMatch: "*" })).toBe("AccessDenied 403");
  expect(await outcome(writer.send(new DeleteObjectCommand({ Bucket, Key: "own/new" })))).toBe(
    "AccessDenied 403",
  );
  expect(await outcome(writer.send(new ListObjectsV2Command({ Bucket, Prefix: "own/" })))).toBe("success");
  expect(await outcome(writer.send(new ListObjectsV2Command({ Bucket })))).toBe("AccessDenied 403");
});

test("conditions see the tags an object has", async () => {
  const tagged = await userWith("tagged", [
    allow("s3:GetObject", `arn:aws:s3:::${Bucket}/*`, {
      StringEquals: { "s3:ExistingObjectTag/stage": "open" },
    }),
  ]);
  expect(await outcome(tagged.send(new GetObjectCommand({ Bucket, Key: "own/1" })))).toBe("success");
  expect(await outcome(tagged.send(new GetObjectCommand({ Bucket, Key: "other/1" })))).toBe(
    "AccessDenied 403",
  );
});

test("a batch deletes what may be deleted and reports the rest", async () => {
  const cleaner = await userWith("cleaner", [allow("s3:DeleteObject", `arn:aws:s3:::${Bucket}/trash/*`)]);
  await owner.send(new PutObjectCommand({ Bucket, Key: "trash/1", Body: "x" }));
  const Objects = [{ Key: "trash/1" }, { Key: "own/1" }];
  const answer = await cleaner.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(["trash/1"]);
  expect(answer.Errors).toMatchObject([{ Key: "own/1", Code: "AccessDenied" }]);
});

test("another account needs the bucket's policy and its own", async () => {
  const stranger = open(lab.operators["222222222222"]!);
  const get = () => outcome(stranger.send(new GetObjectCommand({ Bucket, Key: "own/1" })));
  expect(await get()).toBe("AccessDenied 403");
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { AWS: "222222222222" },
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${Bucket}/own/*`,
    },
  });
  await owner.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  expect(await get()).toBe("success");
  expect(await outcome(stranger.send(new GetObjectCommand({ Bucket, Key: "other/1" })))).toBe(
    "AccessDenied 403",
  );
});

/** The address of a request, signed in its query string. */
async function presign(method: string, path: string, expiresIn = 60): Promise<string> {
  const signer = new SignatureV4({
    service: "s3",
    region,
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
    credentials: lab.operators[account]!,
  });
  const { hostname, port } = new URL(lab.endpoint);
  const request = new HttpRequest({
    method,
    protocol: "http:",
    hostname,
    port: Number(port),
    path,
    headers: { host: `${hostname}:${port}`, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
  });
  const signed = await signer.presign(request, { expiresIn });
  const query = new URLSearchParams(signed.query as Record<string, string>);
  return `${lab.endpoint}${path}?${query}`;
}

test("a presigned address works without credentials, for its request only", async () => {
  const got = await fetch(await presign("GET", `/${Bucket}/own/1`));
  expect(await got.text()).toBe("one");
  const put = await fetch(await presign("PUT", `/${Bucket}/own/presigned`), {
    method: "PUT",
    body: "by address",
  });
  expect(put.status).toBe(200);
  expect(
    await (
      await owner.send(new GetObjectCommand({ Bucket, Key: "own/presigned" }))
    ).Body!.transformToString(),
  ).toBe("by address");
  const address = await presign("GET", `/${Bucket}/own/1`);
  expect((await fetch(address.replace("own/1", "other/1"))).status).toBe(403);
  expect((await fetch(address, { method: "DELETE" })).status).toBe(403);
  expect((await fetch(`${lab.endpoint}/${Bucket}/own/1`)).status).toBe(403);
});

test("objects under a KMS key need rights on the key as well", async () => {
  const kms = new KMSClient({ endpoint: lab.endpoint, region, credentials: lab.operators[account]! });
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const SSEKMSKeyId = KeyMetadata!.Arn!;
  const secret = {
    Bucket,
    Key: "own/secret",
    Body: "x",
    ServerSideEncryption: "aws:kms",
    SSEKMSKeyId,
  } as const;
  const put = await owner.send(new PutObjectCommand(secret));
  expect(put).toMatchObject({ ServerSideEncryption: "aws:kms", SSEKMSKeyId });
  const s3Only = allow(["s3:GetObject", "s3:PutObject"], `arn:aws:s3:::${Bucket}/*`);
  const keyless = await userWith("keyless", [s3Only]);
  expect(await outcome(keyless.send(new GetObjectCommand({ Bucket, Key: "own/secret" })))).toBe(
    "AccessDenied 403",
  );
  expect(await outcome(keyless.send(new PutObjectCommand(secret)))).toBe("AccessDenied 403");
  const viaS3 = { StringEquals: { "kms:ViaService": `s3.${region}.amazonaws.com` } };
  const decrypting = await userWith("decrypting", [s3Only, allow("kms:Decrypt", SSEKMSKeyId, viaS3)]);
  expect(await outcome(decrypting.send(new GetObjectCommand({ Bucket, Key: "own/secret" })))).toBe("success");
  expect(await outcome(decrypting.send(new PutObjectCommand(secret)))).toBe("AccessDenied 403");
});

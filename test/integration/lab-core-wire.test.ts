import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { EBSClient, ListSnapshotBlocksCommand } from "@aws-sdk/client-ebs";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DescribeParametersCommand, SSMClient } from "@aws-sdk/client-ssm";
import {
  AssumeRoleCommand,
  DecodeAuthorizationMessageCommand,
  GetCallerIdentityCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import type { FinalizeRequestMiddleware } from "@smithy/types";
import { createHash, createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const production = "222222222222";
let lab: RunningLab;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lab-"));
  lab = await startLab({ dataDir, seed: "demo" });
});
afterAll(async () => {
  await lab.stop();
  await rm(dataDir, { recursive: true });
});
afterEach(() => lab.lab.faults.clear());

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const operator = (): Keys => lab.operators[production]!;
const settings = (credentials: Keys, more: object = {}) => ({
  region: "eu-central-1",
  endpoint: lab.endpoint,
  credentials,
  maxAttempts: 1,
  ...more,
});

/** One harmless call for each way of saying no. */
const calls: Readonly<Record<string, (credentials: Keys, more?: object) => Promise<unknown>>> = {
  sts: (keys, more) => new STSClient(settings(keys, more)).send(new GetCallerIdentityCommand({})),
  ec2: (keys, more) => new EC2Client(settings(keys, more)).send(new DescribeInstancesCommand({})),
  ssm: (keys, more) => new SSMClient(settings(keys, more)).send(new DescribeParametersCommand({})),
  sqs: (keys, more) => new SQSClient(settings(keys, more)).send(new ListQueuesCommand({})),
  ebs: (keys, more) =>
    new EBSClient(settings(keys, more)).send(
      new ListSnapshotBlocksCommand({ SnapshotId: "snap-0123456789abcdef0" }),
    ),
  s3: (keys, more) => new S3Client(settings(keys, more)).send(new ListBucketsCommand({})),
};

async function errorNames(keys: Keys, more: object = {}): Promise<Record<string, string>> {
  const names: Record<string, string> = {};
  for (const [service, call] of Object.entries(calls)) {
    names[service] = await call(keys, more).then(
      () => "no error",
      (error: Error) => error.name,
    );
  }
  return names;
}

async function session(): Promise<Keys> {
  const iam = new IAMClient(settings(operator()));
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: production }, Action: "sts:AssumeRole" }],
  };
  const RoleName = `wire-${lab.lab.identity.roles.size}`;
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }),
  );
  const { Credentials } = await new STSClient(settings(operator())).send(
    new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "wire" }),
  );
  return {
    accessKeyId: Credentials!.AccessKeyId!,
    secretAccessKey: Credentials!.SecretAccessKey!,
    sessionToken: Credentials!.SessionToken!,
  };
}

describe("a request is refused in its service's own words", () => {
  test("with the wrong secret", async () => {
    expect(await errorNames({ ...operator(), secretAccessKey: "wrong" })).toEqual({
      sts: "SignatureDoesNotMatch",
      ec2: "AuthFailure",
      ssm: "InvalidSignatureException",
      sqs: "InvalidSignatureException",
      ebs: "InvalidSignatureException",
      s3: "SignatureDoesNotMatch",
    });
  });

  test("with an unknown access key", async () => {
    expect(await errorNames({ ...operator(), accessKeyId: "AKIAUNKNOWNUNKNOWN12" })).toEqual({
      sts: "InvalidClientTokenId",
      ec2: "AuthFailure",
      ssm: "UnrecognizedClientException",
      sqs: "UnrecognizedClientException",
      ebs: "UnrecognizedClientException",
      s3: "InvalidAccessKeyId",
    });
  });

  test("with a session token that isn't the session's", async () => {
    const keys = await session();
    expect(await errorNames({ ...keys, sessionToken: "another" })).toMatchObject({
      sts: "InvalidClientTokenId",
      s3: "InvalidToken",
    });
    const { sessionToken: _dropped, ...bare } = keys;
    expect(await errorNames(bare)).toMatchObject({
      sts: "InvalidClientTokenId",
      ssm: "UnrecognizedClientException",
    });
  });

  test("with expired credentials", async () => {
    const keys = await session();
    const { sessions } = lab.lab.identity;
    sessions.put(keys.accessKeyId, {
      ...sessions.get(keys.accessKeyId)!,
      expiresAtMs: lab.lab.clock.now() - 1,
    });
    expect(await errorNames(keys)).toEqual({
      // The SDK's own name for STS's code ExpiredToken.
      sts: "ExpiredTokenException",
      ec2: "RequestExpired",
      ssm: "ExpiredTokenException",
      sqs: "ExpiredTokenException",
      ebs: "ExpiredTokenException",
      s3: "ExpiredToken",
    });
  });

  test("from a clock that is ten minutes off", async () => {
    expect(await errorNames(operator(), { systemClockOffset: 600_000 })).toMatchObject({
      sts: "SignatureDoesNotMatch",
      ec2: "RequestExpired",
      s3: "RequestTimeTooSkewed",
    });
  });
});

/** A signer of our own: what two SDKs might get wrong together, it doesn't. */
function signed(
  path: string,
  body: string,
  service = "sts",
): { url: string; init: { method: string; headers: Record<string, string>; body: string } } {
  const { accessKeyId, secretAccessKey } = operator();
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const date = stamp.slice(0, 8);
  const host = new URL(lab.endpoint).host;
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const canonical = `POST\n${path}\n\nhost:${host}\nx-amz-date:${stamp}\n\nhost;x-amz-date\n${hash(body)}`;
  const scope = `${date}/eu-central-1/${service}/aws4_request`;
  const key = [date, "eu-central-1", service, "aws4_request"].reduce<Buffer | string>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  const signature = createHmac("sha256", key)
    .update(`AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hash(canonical)}`)
    .digest("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`;
  const headers = { "x-amz-date": stamp, authorization, "content-type": "application/x-www-form-urlencoded" };
  return { url: lab.endpoint + path, init: { method: "POST", headers, body } };
}

describe("what was signed is what is read", () => {
  const body = "Action=GetCallerIdentity&Version=2011-06-15";

  test("an untouched request passes", async () => {
    const { url, init } = signed("/", body);
    expect((await fetch(url, init)).status).toBe(200);
  });

  test("a changed body is refused", async () => {
    const { url, init } = signed("/", body);
    const answer = await fetch(url, { ...init, body: `${body}&X=1` });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("SignatureDoesNotMatch");
  });

  test("a request without signature is refused", async () => {
    const answer = await fetch(lab.endpoint, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body,
    });
    expect(await answer.text()).toContain("MissingAuthenticationToken");
  });

  test("a parameter that the operation doesn't have is refused by name", async () => {
    const { url, init } = signed("/", `${body}&Surprise=1`);
    expect(await (await fetch(url, init)).text()).toContain("The parameter Surprise is not recognized");
  });

  test("an S3 object whose bytes aren't those signed isn't stored", async () => {
    const s3 = new S3Client(settings(operator(), { forcePathStyle: true }));
    await s3.send(
      new CreateBucketCommand({
        Bucket: "signed",
        CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
      }),
    );
    const tamper: FinalizeRequestMiddleware<ServiceInputTypes, ServiceOutputTypes> = (next) => (given) => {
      (given.request as { body: unknown }).body = Buffer.alloc(2 * 2 ** 20, 2);
      return next(given);
    };
    s3.middlewareStack.addRelativeTo(tamper, { relation: "after", toMiddleware: "httpSigningMiddleware" });
    const put = s3.send(
      new PutObjectCommand({ Bucket: "signed", Key: "k", Body: Buffer.alloc(2 * 2 ** 20, 1) }),
    );
    await expect(put).rejects.toMatchObject({
      name: expect.stringMatching(/XAmzContentSHA256Mismatch|BadDigest/) as string,
    });
    await expect(
      new S3Client(settings(operator())).send(new GetObjectCommand({ Bucket: "signed", Key: "k" })),
    ).rejects.toMatchObject({ name: "NoSuchKey" });
  });
});

describe("EC2's denial", () => {
  test("can be decoded by who may", async () => {
    const keys = await session();
    const denial = await calls["ec2"]!(keys).catch((error: Error) => error);
    expect(denial).toMatchObject({ name: "UnauthorizedOperation" });
    const { message } = denial as Error;
    expect(message).toMatch(
      /is not authorized to perform: ec2:DescribeInstances because no identity-based policy allows the ec2:DescribeInstances action/,
    );
    const EncodedMessage = /Encoded authorization failure message: (\S+)/.exec(message)![1]!;
    const sts = new STSClient(settings(operator()));
    const { DecodedMessage } = await sts.send(new DecodeAuthorizationMessageCommand({ EncodedMessage }));
    expect(JSON.parse(DecodedMessage!)).toMatchObject({
      allowed: false,
      explicitDeny: false,
      context: { action: "ec2:DescribeInstances" },
    });
  });
});

describe("faults by request", () => {
  const addFault = (rule: object) =>
    fetch(`${lab.endpoint}/_lab/faults`, { method: "POST", body: JSON.stringify(rule) }).then((answer) =>
      answer.json(),
    );

  test("throttle a number of calls, then let them pass", async () => {
    await addFault({ service: "sts", operation: "GetCallerIdentity", fault: "throttle", count: 2 });
    await expect(calls["sts"]!(operator())).rejects.toMatchObject({ name: "Throttling" });
    const answer = await new STSClient(settings(operator(), { maxAttempts: 4 })).send(
      new GetCallerIdentityCommand({}),
    );
    expect(answer.$metadata.attempts).toBe(2);
  });

  test("drop connections, fail inside, expire credentials", async () => {
    await addFault({ service: "ssm", fault: "drop", count: 1 });
    await expect(calls["ssm"]!(operator())).rejects.toThrow(/socket hang up|ECONNRESET/);
    await addFault({ service: "ec2", fault: "error500", count: 1 });
    await expect(calls["ec2"]!(operator())).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    await addFault({ service: "s3", fault: "expired", count: 1 });
    await expect(calls["s3"]!(operator())).rejects.toMatchObject({ name: "ExpiredToken" });
  });

  test("strike with a probability that a seed repeats", async () => {
    const pattern = async () => {
      lab.lab.faults.clear();
      lab.lab.faults.add({ service: "sts", fault: "throttle", probability: 0.5, seed: "same" });
      const results: boolean[] = [];
      for (let call = 0; call < 12; call++)
        results.push((await calls["sts"]!(operator()).catch(() => undefined)) !== undefined);
      return results;
    };
    const first = await pattern();
    expect(await pattern()).toEqual(first);
    expect(new Set(first).size).toBe(2);
  });
});

describe("the admin side", () => {
  test("counts what there is", async () => {
    const inventory = (await (await fetch(`${lab.endpoint}/_lab/inventory`)).json()) as {
      collections: Record<string, { count: number; ids: string[] }>;
    };
    expect(inventory.collections["accounts"]).toEqual({
      count: 3,
      ids: ["999999999999", "111111111111", "222222222222"],
    });
  });

  test("tells who called what, and which actions were asked for", async () => {
    await new IAMClient(settings(operator()))
      .send(new PutRolePolicyCommand({ RoleName: "none", PolicyName: "x", PolicyDocument: "{}" }))
      .catch(() => undefined);
    const { calls: logged } = (await (await fetch(`${lab.endpoint}/_lab/calls`)).json()) as {
      calls: object[];
    };
    expect(logged.at(-1)).toMatchObject({
      service: "iam",
      operation: "PutRolePolicy",
      actions: ["iam:PutRolePolicy"],
      errorCode: "NoSuchEntity",
    });
  });
});

test("a service that the lab doesn't have is named", async () => {
  const { url, init } = signed("/", "Action=X", "rds");
  const answer = await fetch(url, init);
  expect(answer.status).toBe(501);
  expect(await answer.text()).toContain("rds");
});

import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const program = "/usr/bin/aws";
const execute = promisify(execFile);

/**
 * Clients of another make: what Garrison's lab and the SDK for JavaScript agree on by sharing schemas, botocore reads by
 * its own. Debian's version still speaks SQS's older protocol.
 */
describe.skipIf(!existsSync(program))("the aws command", () => {
  let folder: string;
  let lab: RunningLab;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lab-aws-"));
    lab = await startLab({ dataDir: join(folder, "lab"), seed: "demo" });
  });

  afterAll(async () => {
    await lab.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function aws(...args: string[]): Promise<string> {
    const { accessKeyId, secretAccessKey } = lab.operators["111111111111"]!;
    const env = {
      PATH: "/usr/bin:/bin",
      HOME: folder,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: "eu-central-1",
      AWS_EC2_METADATA_DISABLED: "true",
    };
    const { stdout } = await execute(program, ["--endpoint-url", lab.endpoint, ...args], { env });
    return stdout;
  }

  test("copies files of one and of many parts there and back, and lists them", async () => {
    const bytes = randomBytes(40 << 20);
    await writeFile(join(folder, "big"), bytes);
    await writeFile(join(folder, "small"), "small file\n");
    await aws("s3", "mb", "s3://from-the-command");
    await aws("s3", "cp", "--no-progress", join(folder, "big"), "s3://from-the-command/dir/big file+ü");
    await aws("s3", "cp", "--no-progress", join(folder, "small"), "s3://from-the-command/small");
    expect(await aws("s3", "ls")).toContain("from-the-command");
    const listing = await aws("s3", "ls", "--recursive", "s3://from-the-command");
    expect(listing).toMatch(/41943040 dir\/big file\+ü/);
    expect(listing).toMatch(/11 small/);
    expect(await aws("s3", "ls", "s3://from-the-command")).toContain("PRE dir/");
    await aws("s3", "cp", "--no-progress", "s3://from-the-command/dir/big file+ü", join(folder, "back"));
    const digest = (data: Buffer) => createHash("sha256").update(data).digest("hex");
    expect(digest(await readFile(join(folder, "back")))).toBe(digest(bytes));
    await aws(
      "s3",
      "cp",
      "--no-progress",
      "s3://from-the-command/dir/big file+ü",
      "s3://from-the-command/copy",
    );
    await aws("s3", "rm", "--recursive", "s3://from-the-command");
    await aws("s3", "rb", "s3://from-the-command");
  });

  test("presigns addresses", async () => {
    await aws("s3", "mb", "s3://presigned-by-the-command");
    await writeFile(join(folder, "page"), "page");
    await aws("s3", "cp", "--no-progress", join(folder, "page"), "s3://presigned-by-the-command/page");
    const address = await aws("s3", "presign", "s3://presigned-by-the-command/page");
    expect(await (await fetch(address.trim())).text()).toBe("page");
  });

  test("works with queues", async () => {
    const { QueueUrl } = JSON.parse(await aws("sqs", "create-queue", "--queue-name", "by-command")) as {
      QueueUrl: string;
    };
    expect(JSON.parse(await aws("sqs", "list-queues"))).toEqual({ QueueUrls: [QueueUrl] });
    const attributes = '{"kind":{"DataType":"String","StringValue":"test"}}';
    await aws(
      "sqs",
      "send-message",
      "--queue-url",
      QueueUrl,
      "--message-body",
      "hello <&> ü",
      "--message-attributes",
      attributes,
    );
    const received = await aws(
      "sqs",
      "receive-message",
      "--queue-url",
      QueueUrl,
      "--message-attribute-names",
      "All",
      "--attribute-names",
      "All",
    );
    const { Messages } = JSON.parse(received) as {
      Messages: { Body: string; ReceiptHandle: string; MessageAttributes: object }[];
    };
    expect(Messages[0]).toMatchObject({
      Body: "hello <&> ü",
      MessageAttributes: { kind: { StringValue: "test" } },
    });
    await aws(
      "sqs",
      "delete-message",
      "--queue-url",
      QueueUrl,
      "--receipt-handle",
      Messages[0]!.ReceiptHandle,
    );
    const all = JSON.parse(
      await aws("sqs", "get-queue-attributes", "--queue-url", QueueUrl, "--attribute-names", "All"),
    ) as object;
    expect(all).toMatchObject({ Attributes: { ApproximateNumberOfMessages: "0" } });
    await expect(aws("sqs", "get-queue-url", "--queue-name", "absent")).rejects.toThrow(/NonExistentQueue/);
  });

  test("reads parameters and documents of Systems Manager", async () => {
    const name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
    const { Parameter } = JSON.parse(await aws("ssm", "get-parameter", "--name", name)) as {
      Parameter: { Value: string };
    };
    expect(Parameter.Value).toMatch(/^ami-0/);
    expect(JSON.parse(await aws("ssm", "describe-instance-information"))).toEqual({
      InstanceInformationList: [],
    });
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CompleteSnapshotCommand,
  ListSnapshotBlocksCommand,
  StartSnapshotCommand,
} from "@aws-sdk/client-ebs";
import {
  CreateKeyPairCommand,
  CreateSnapshotsCommand,
  CreateTagsCommand,
  DeleteSnapshotCommand,
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  GetConsoleOutputCommand,
  type _InstanceType,
  RegisterImageCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
  waitUntilSnapshotCompleted,
} from "@aws-sdk/client-ec2";
import { ListUsersCommand } from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import {
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  GetParameterCommand,
  SendCommandCommand,
} from "@aws-sdk/client-ssm";
import { assumeRole } from "@garrison/aws/assume-role";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { staticCredentials } from "@garrison/aws/aws-credentials";
import { awsErrorCode } from "@garrison/aws/translate-aws-error";
import { createRole } from "@garrison/aws/create-role";
import { issueRoleCredentials } from "@garrison/lab/identity/issue-role-credentials";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { exportRole, type ExportOptions } from "@garrison/roles/export-role";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/*
 * The exported documents against a lab that judges every call: what a run does is allowed, the same call on a neighbour
 * is not.
 */
const backup = "111111111111";
const production = "222222222222";
const region = "eu-central-1";
const installation = "7f3a09c1";
const externalId = "garrison-7f3a";
const call = { signal: new AbortController().signal };
const options: ExportOptions = {
  accounts: { backup, production },
  externalId,
  installation,
  withWorkersInProduction: true,
  bucket: "vault",
  bucketPrefix: "garrison",
};
const ours = [{ Key: "garrison:installation", Value: installation }];
const foreign = [{ Key: "garrison:installation", Value: "00000000" }];

let lab: RunningLab;
let dataDir: string;
const opened: AwsClients[] = [];
let operator: AwsClients;
let backupOperator: AwsClients;
let backupRole: AwsClients;
let restoreRole: AwsClients;
let workerRole: AwsClients;
let repositoryRole: AwsClients;
let subnetId: string;
let imageId: string;

function open(
  credentials: () => Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }>,
): AwsClients {
  const clients = openAwsClients({ region, endpoint: lab.endpoint, credentials });
  opened.push(clients);
  return clients;
}

function instanceKeys(account: string, name: string) {
  return issueRoleCredentials(lab.lab, {
    roleArn: `arn:aws:iam::${account}:role/${name}`,
    sessionName: "i-0123456789abcdef0",
    durationSeconds: 3600,
    trustPrincipal: "ec2.amazonaws.com",
    instance: { instanceId: "i-0123456789abcdef0", region },
  });
}

async function become(appliance: AwsClients, account: string, name: string): Promise<AwsClients> {
  const request = { roleArn: `arn:aws:iam::${account}:role/${name}`, externalId, sessionName: "test" };
  return open(staticCredentials(await assumeRole(appliance.sts(), request, call)));
}

/** The AWS error code of a call that must not pass. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "allowed",
    (error: unknown) => awsErrorCode(error) ?? "no code",
  );
}

const denied = /^(AccessDenied(Exception)?|UnauthorizedOperation)$/;

function launch(change: Partial<RunInstancesCommandInput> = {}): RunInstancesCommand {
  return new RunInstancesCommand({
    DryRun: true,
    ImageId: imageId,
    InstanceType: "t3.small" as _InstanceType,
    MinCount: 1,
    MaxCount: 1,
    SubnetId: subnetId,
    IamInstanceProfile: { Name: "garrison-worker" },
    MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
    TagSpecifications: [
      { ResourceType: "instance", Tags: ours },
      { ResourceType: "volume", Tags: ours },
    ],
    ...change,
  });
}

async function operatorInstance(tags: { Key: string; Value: string }[]): Promise<string> {
  const made = await operator.ec2().send(
    launch({
      DryRun: false,
      IamInstanceProfile: undefined,
      TagSpecifications: [{ ResourceType: "instance", Tags: tags }],
    }),
  );
  return made.Instances?.[0]?.InstanceId ?? "";
}

/** A completed snapshot of nothing. */
async function operatorSnapshot(tags: { Key: string; Value: string }[]): Promise<string> {
  const ebs = operator.ebs();
  const { SnapshotId = "" } = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, Tags: tags }));
  await ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 0 }));
  const wait = { client: operator.ec2(), minDelay: 1, maxDelay: 1, maxWaitTime: 20 };
  await waitUntilSnapshotCompleted(wait, { SnapshotIds: [SnapshotId] });
  return SnapshotId;
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "garrison-scope-"));
  lab = await startLab({ dataDir, seed: "demo" });
  operator = open(async () => lab.operators[production]!);
  backupOperator = open(async () => lab.operators[backup]!);
  for (const id of ["appliance", "repository"] as const)
    await createRole(backupOperator, exportRole(id, options), call);
  for (const id of ["backup-ec2", "restore-ec2", "worker"] as const) {
    await createRole(operator, exportRole(id, options), call);
  }
  await createRole(
    operator,
    { ...exportRole("worker", options), roleName: "admin", instanceProfile: { name: "admin" } },
    call,
  );
  await backupOperator.s3().send(new CreateBucketCommand({ Bucket: "vault" }));
  const keys = instanceKeys(backup, "garrison-appliance");
  const appliance = open(async () => keys);
  backupRole = await become(appliance, production, "garrison-backup-ec2");
  restoreRole = await become(appliance, production, "garrison-restore-ec2");
  repositoryRole = await become(appliance, backup, "garrison-repository");
  const workerKeys = instanceKeys(production, "garrison-worker");
  workerRole = open(async () => workerKeys);
  const Name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
  imageId = (await backupRole.ssm().send(new GetParameterCommand({ Name }))).Parameter?.Value ?? "";
  subnetId = (await operator.ec2().send(new DescribeSubnetsCommand({}))).Subnets?.[0]?.SubnetId ?? "";
});

afterAll(async () => {
  for (const clients of opened) clients.close();
  await lab?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

describe("the worker's own identity", () => {
  const attempts: readonly (readonly [string, (aws: AwsClients) => Promise<unknown>])[] = [
    ["list a bucket", (aws) => aws.s3().send(new ListObjectsV2Command({ Bucket: "vault" }))],
    ["read an object", (aws) => aws.s3().send(new GetObjectCommand({ Bucket: "vault", Key: "garrison/x" }))],
    [
      "write an object",
      (aws) => aws.s3().send(new PutObjectCommand({ Bucket: "vault", Key: "garrison/x", Body: "x" })),
    ],
    ["describe instances", (aws) => aws.ec2().send(new DescribeInstancesCommand({}))],
    ["launch an instance", (aws) => aws.ec2().send(launch())],
    ["list users", (aws) => aws.iam().send(new ListUsersCommand({}))],
    [
      "make a queue",
      (aws) => aws.sqs().send(new CreateQueueCommand({ QueueName: `garrison-${installation}-x-in` })),
    ],
    ["start a snapshot", (aws) => aws.ebs().send(new StartSnapshotCommand({ VolumeSize: 1 }))],
    ["become the backup role", (aws) => become(aws, production, "garrison-backup-ec2")],
  ];
  it.each(attempts)("may not %s", async (_, attempt) => {
    expect(
      await codeOf(
        attempt(workerRole).catch((error: unknown) => Promise.reject((error as Error).cause ?? error)),
      ),
    ).toMatch(denied);
  });

  it("may not read the blocks of a snapshot, nor delete it, even one of its own installation", async () => {
    const SnapshotId = await operatorSnapshot(ours);
    expect(await codeOf(workerRole.ebs().send(new ListSnapshotBlocksCommand({ SnapshotId })))).toMatch(
      denied,
    );
    expect(await codeOf(workerRole.ec2().send(new DeleteSnapshotCommand({ SnapshotId })))).toMatch(denied);
  });

  it("receives only on `-in` queues of its installation and sends only on `-out` ones", async () => {
    const make = async (QueueName: string) =>
      (await operator.sqs().send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? "";
    const inbox = await make(`garrison-${installation}-11111111-in`);
    const outbox = await make(`garrison-${installation}-11111111-out`);
    const other = await make("orders");
    const sqs = workerRole.sqs();
    expect(await codeOf(sqs.send(new ReceiveMessageCommand({ QueueUrl: inbox })))).toBe("allowed");
    expect(await codeOf(sqs.send(new SendMessageCommand({ QueueUrl: outbox, MessageBody: "x" })))).toBe(
      "allowed",
    );
    expect(await codeOf(sqs.send(new ReceiveMessageCommand({ QueueUrl: other })))).toMatch(denied);
    expect(await codeOf(sqs.send(new SendMessageCommand({ QueueUrl: inbox, MessageBody: "x" })))).toMatch(
      denied,
    );
    expect(await codeOf(sqs.send(new DeleteQueueCommand({ QueueUrl: inbox })))).toMatch(denied);
  });
});

describe("the backup role", () => {
  it("may launch a worker as the run does", async () => {
    expect(await codeOf(backupRole.ec2().send(launch()))).toBe("DryRunOperation");
  });

  it.each([
    ["without the installation's tag", { TagSpecifications: [] }],
    [
      "with another installation's tag",
      { TagSpecifications: [{ ResourceType: "instance" as const, Tags: foreign }] },
    ],
    ["with the old metadata service", { MetadataOptions: { HttpTokens: "optional" as const } }],
    ["with another role", { IamInstanceProfile: { Name: "admin" } }],
    ["with a key pair", { KeyName: "somebody" }],
  ])("may not launch one %s", async (_, change) => {
    await operator
      .ec2()
      .send(new CreateKeyPairCommand({ KeyName: "somebody" }))
      .catch(() => undefined);
    expect(await codeOf(backupRole.ec2().send(launch(change)))).toMatch(denied);
  });

  it("touches its installation's instances and no other", async () => {
    const own = await operatorInstance(ours);
    const other = await operatorInstance([{ Key: "Name", Value: "web" }]);
    const ec2 = backupRole.ec2();
    const command = (InstanceIds: string[]) =>
      new SendCommandCommand({
        InstanceIds,
        DocumentName: "AWS-RunShellScript",
        Parameters: { commands: ["true"] },
      });
    expect(await codeOf(ec2.send(new GetConsoleOutputCommand({ InstanceId: own })))).toBe("allowed");
    expect(await codeOf(ec2.send(new GetConsoleOutputCommand({ InstanceId: other })))).toMatch(denied);
    expect(await codeOf(backupRole.ssm().send(command([other])))).toMatch(denied);
    expect(await codeOf(backupRole.ssm().send(command([own])))).not.toMatch(denied);
    expect(await codeOf(ec2.send(new CreateTagsCommand({ Resources: [other], Tags: ours })))).toMatch(denied);
    expect(await codeOf(ec2.send(new TerminateInstancesCommand({ InstanceIds: [other] })))).toMatch(denied);
    expect(await codeOf(ec2.send(new TerminateInstancesCommand({ InstanceIds: [own] })))).toBe("allowed");
    await operator.ec2().send(new TerminateInstancesCommand({ InstanceIds: [other] }));
  });

  it("snapshots any instance, but only as its installation's, and deletes only those", async () => {
    const instance = await operatorInstance([{ Key: "Name", Value: "db" }]);
    const ec2 = backupRole.ec2();
    const snapshots = (Tags: { Key: string; Value: string }[]) =>
      new CreateSnapshotsCommand({
        InstanceSpecification: { InstanceId: instance },
        TagSpecifications: [{ ResourceType: "snapshot", Tags }],
        DryRun: true,
      });
    expect(await codeOf(ec2.send(snapshots(ours)))).toBe("DryRunOperation");
    expect(await codeOf(ec2.send(snapshots(foreign)))).toMatch(denied);
    const own = await operatorSnapshot(ours);
    const other = await operatorSnapshot([{ Key: "Name", Value: "nightly" }]);
    expect(await codeOf(backupRole.ebs().send(new ListSnapshotBlocksCommand({ SnapshotId: other })))).toMatch(
      denied,
    );
    expect(await codeOf(backupRole.ebs().send(new ListSnapshotBlocksCommand({ SnapshotId: own })))).toBe(
      "allowed",
    );
    expect(await codeOf(ec2.send(new DeleteSnapshotCommand({ SnapshotId: other })))).toMatch(denied);
    expect(await codeOf(ec2.send(new DeleteSnapshotCommand({ SnapshotId: own })))).toBe("allowed");
    await operator.ec2().send(new TerminateInstancesCommand({ InstanceIds: [instance] }));
  });

  it("makes queues of its installation only", async () => {
    const make = (QueueName: string) =>
      codeOf(
        backupRole
          .sqs()
          .send(new CreateQueueCommand({ QueueName, tags: { "garrison:installation": installation } })),
      );
    expect(await make(`garrison-${installation}-22222222-in`)).toBe("allowed");
    expect(await make("orders-2")).toMatch(denied);
    expect(await make("garrison-00000000-22222222-in")).toMatch(denied);
  });
});

describe("the restore role", () => {
  it("starts a snapshot only as its installation's", async () => {
    const start = (Tags: { Key: string; Value: string }[]) =>
      codeOf(restoreRole.ebs().send(new StartSnapshotCommand({ VolumeSize: 1, Tags })));
    expect(await start(ours)).toBe("allowed");
    expect(await start(foreign)).toMatch(denied);
    expect(await start([])).toMatch(denied);
  });

  it("registers an image only of snapshots that its installation wrote", async () => {
    const own = await operatorSnapshot(ours);
    const other = await operatorSnapshot([{ Key: "Name", Value: "nightly" }]);
    const register = (SnapshotId: string) =>
      codeOf(
        restoreRole.ec2().send(
          new RegisterImageCommand({
            DryRun: true,
            Name: `garrison-${SnapshotId}`,
            Architecture: "x86_64",
            VirtualizationType: "hvm",
            RootDeviceName: "/dev/xvda",
            BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId } }],
            TagSpecifications: [{ ResourceType: "image", Tags: ours }],
          }),
        ),
      );
    expect(await register(own)).toBe("DryRunOperation");
    expect(await register(other)).toMatch(denied);
  });

  it("launches a restored instance, but passes no role unless the owner listed it", async () => {
    const restored = { MetadataOptions: { HttpTokens: "optional" as const }, IamInstanceProfile: undefined };
    expect(await codeOf(restoreRole.ec2().send(launch(restored)))).toBe("DryRunOperation");
    expect(await codeOf(restoreRole.ec2().send(launch({ IamInstanceProfile: { Name: "admin" } })))).toMatch(
      denied,
    );
  });
});

describe("the repository role", () => {
  it("reads, writes and lists below its prefix only", async () => {
    const s3 = repositoryRole.s3();
    const put = (Key: string) => codeOf(s3.send(new PutObjectCommand({ Bucket: "vault", Key, Body: "x" })));
    const list = (Prefix: string) => codeOf(s3.send(new ListObjectsV2Command({ Bucket: "vault", Prefix })));
    expect(await put("garrison/domain/pack/1")).toBe("allowed");
    expect(await put("payroll/1")).toMatch(denied);
    expect(await list("garrison/")).toBe("allowed");
    expect(await list("")).toMatch(denied);
  });
});

describe("a worker launched under the exported roles", () => {
  async function until<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      await new Promise((next) => setTimeout(next, 100));
    }
  }

  it.each(["scoped", "compatible"] as const)(
    "registers, runs a command and ends (%s worker role)",
    async (form) => {
      await createRole(operator, exportRole("worker", { ...options, form }), call);
      const ssm = backupRole.ssm();
      const launched = await backupRole.ec2().send(launch({ DryRun: false }));
      const InstanceId = launched.Instances?.[0]?.InstanceId ?? "";
      await until(async () => {
        const { InstanceInformationList = [] } = await ssm.send(new DescribeInstanceInformationCommand({}));
        return InstanceInformationList.find(
          (one) => one.InstanceId === InstanceId && one.PingStatus === "Online",
        );
      });
      const sent = await ssm.send(
        new SendCommandCommand({
          InstanceIds: [InstanceId],
          DocumentName: "AWS-RunShellScript",
          Parameters: { commands: ["echo here"] },
        }),
      );
      const CommandId = sent.Command?.CommandId ?? "";
      const done = await until(async () => {
        const answer = await ssm
          .send(new GetCommandInvocationCommand({ CommandId, InstanceId }))
          .catch(() => undefined);
        return answer?.Status === "Success" || answer?.Status === "Failed" ? answer : undefined;
      });
      expect(done.StandardOutputContent).toContain("here");
      expect(
        await codeOf(backupRole.ec2().send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] }))),
      ).toBe("allowed");
    },
  );
});

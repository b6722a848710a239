import {
  AuthorizeSecurityGroupIngressCommand,
  CreateNetworkInterfaceCommand,
  CreateSecurityGroupCommand,
  CreateSnapshotsCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteSecurityGroupCommand,
  DeleteSnapshotCommand,
  DeleteTagsCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeInstanceStatusCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotsCommand,
  DescribeSubnetsCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  EC2Client,
  AttachVolumeCommand,
  ModifyInstanceAttributeCommand,
  paginateDescribeVolumes,
  RegisterImageCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  type RunInstancesCommandInput,
} from "@aws-sdk/client-ec2";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { ordinaryImageId, publicImageId } from "@garrison/lab/services/ec2/images/public-images";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { seedInstance } from "@garrison/lab/seed/seed-instance";
import { mkdtemp, open, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { putRole } from "./lab-ec2-roles.ts";

const production = "222222222222";
const backup = "111111111111";
const region = "eu-central-1";
const ImageId = ordinaryImageId("x86_64", region);

let running: RunningLab;
let dataDir: string;
let ec2: EC2Client;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lab-ec2-"));
  running = await startLab({ dataDir, seed: "demo", ec2: { transitionMs: 5, snapshotMs: 5 } });
  ec2 = client(running.operators[production]!);
});

afterAll(async () => {
  await running.stop();
  await rm(dataDir, { recursive: true });
});

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

function client(credentials: Credentials): EC2Client {
  return new EC2Client({ region, endpoint: running.endpoint, credentials, maxAttempts: 1 });
}

async function session(roleName: string): Promise<EC2Client> {
  const sts = new STSClient({
    region,
    endpoint: running.endpoint,
    credentials: running.operators[production]!,
  });
  const RoleArn = `arn:aws:iam::${production}:role/${roleName}`;
  const { Credentials: given } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "test" }));
  return client({
    accessKeyId: given!.AccessKeyId!,
    secretAccessKey: given!.SecretAccessKey!,
    sessionToken: given!.SessionToken!,
  });
}

async function until<Value>(read: () => Promise<Value | undefined | false>): Promise<Value> {
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    await sleep(10);
  }
}

async function describeOne(InstanceId: string) {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [InstanceId] }));
  return Reservations![0]!.Instances![0]!;
}

function untilState(instanceId: string, state: string) {
  return until(async () => {
    const instance = await describeOne(instanceId);
    return instance.State?.Name === state && instance;
  });
}

async function run(input: Partial<RunInstancesCommandInput> = {}): Promise<string> {
  const { Instances } = await ec2.send(
    new RunInstancesCommand({ ImageId, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1, ...input }),
  );
  return Instances![0]!.InstanceId!;
}

async function terminate(...InstanceIds: string[]): Promise<void> {
  await ec2.send(new TerminateInstancesCommand({ InstanceIds }));
  for (const id of InstanceIds) await untilState(id, "terminated");
}

describe("an instance", () => {
  test("goes from pending to running with its image's disk, and its volumes vanish with it", async () => {
    const InstanceId = await run({
      TagSpecifications: [
        { ResourceType: "instance", Tags: [{ Key: "Name", Value: "one" }] },
        { ResourceType: "volume", Tags: [{ Key: "of", Value: "one" }] },
      ],
      BlockDeviceMappings: [{ DeviceName: "/dev/sdf", Ebs: { VolumeSize: 2, DeleteOnTermination: false } }],
    });
    const instance = await untilState(InstanceId, "running");
    expect(instance.Tags).toEqual([{ Key: "Name", Value: "one" }]);
    expect(instance.BlockDeviceMappings!.map((device) => device.DeviceName)).toEqual([
      "/dev/xvda",
      "/dev/sdf",
    ]);
    expect(instance.PrivateIpAddress).toMatch(/^172\.31\./);
    const { Volumes } = await ec2.send(
      new DescribeVolumesCommand({ Filters: [{ Name: "attachment.instance-id", Values: [InstanceId] }] }),
    );
    expect(Volumes!.map((volume) => [volume.State, volume.Size, volume.Tags![0]!.Value])).toEqual([
      ["in-use", expect.any(Number), "one"],
      ["in-use", expect.any(Number), "one"],
    ]);
    await terminate(InstanceId);
    const left = await ec2.send(
      new DescribeVolumesCommand({ Filters: [{ Name: "tag:of", Values: ["one"] }] }),
    );
    expect(left.Volumes!.map((volume) => [volume.State, volume.Size])).toEqual([["available", 2]]);
    await ec2.send(new DeleteVolumeCommand({ VolumeId: left.Volumes![0]!.VolumeId }));
  });

  test("is launched once for one client token, and the token is refused for another launch", async () => {
    const ClientToken = "launch-1";
    const first = await run({ ClientToken });
    expect(await run({ ClientToken })).toBe(first);
    await expect(run({ ClientToken, InstanceType: "t3.small" })).rejects.toMatchObject({
      name: "IdempotentParameterMismatch",
    });
    await terminate(first);
  });

  test("isn't started beyond the vCPU quota", async () => {
    const ids = await ec2.send(
      new RunInstancesCommand({ ImageId, InstanceType: "m5.4xlarge", MinCount: 1, MaxCount: 5 }),
    );
    expect(ids.Instances).toHaveLength(2);
    await expect(run()).rejects.toMatchObject({ name: "VcpuLimitExceeded" });
    await terminate(...ids.Instances!.map((instance) => instance.InstanceId!));
    await terminate(await run());
  });

  test("stops, starts again, and keeps its volumes and address", async () => {
    const InstanceId = await run();
    const before = await untilState(InstanceId, "running");
    await ec2.send(new StopInstancesCommand({ InstanceIds: [InstanceId] }));
    const stopped = await untilState(InstanceId, "stopped");
    expect(stopped.StateReason?.Code).toBe("Client.UserInitiatedShutdown");
    await ec2.send(new StartInstancesCommand({ InstanceIds: [InstanceId] }));
    const after = await untilState(InstanceId, "running");
    expect(after.PrivateIpAddress).toBe(before.PrivateIpAddress);
    expect(after.BlockDeviceMappings).toEqual(before.BlockDeviceMappings);
    const { InstanceStatuses } = await ec2.send(
      new DescribeInstanceStatusCommand({ InstanceIds: [InstanceId] }),
    );
    expect(InstanceStatuses![0]!.InstanceStatus!.Status).toBe("ok");
    await terminate(InstanceId);
  });

  test("that is protected isn't terminated until the protection is gone", async () => {
    const InstanceId = await run({ DisableApiTermination: true });
    await expect(
      ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] })),
    ).rejects.toMatchObject({ name: "OperationNotPermitted" });
    await ec2.send(
      new ModifyInstanceAttributeCommand({ InstanceId, DisableApiTermination: { Value: false } }),
    );
    const attribute = new DescribeInstanceAttributeCommand({
      InstanceId,
      Attribute: "disableApiTermination",
    });
    expect((await ec2.send(attribute)).DisableApiTermination?.Value).toBe(false);
    await terminate(InstanceId);
  });

  test("needs an image, a type of its architecture, a known profile and subnet", async () => {
    await expect(run({ ImageId: "ami-0123456789abcdef0" })).rejects.toMatchObject({
      name: "InvalidAMIID.NotFound",
    });
    await expect(run({ InstanceType: "t4g.micro" })).rejects.toMatchObject({ name: "InvalidParameterValue" });
    await expect(run({ IamInstanceProfile: { Name: "unknown" } })).rejects.toMatchObject({
      name: "InvalidParameterValue",
      message: expect.stringMatching(/Invalid IAM Instance Profile name$/),
    });
    await expect(run({ SubnetId: "subnet-0123456789abcdef0" })).rejects.toMatchObject({
      name: "InvalidSubnetID.NotFound",
    });
  });

  test("of a public worker image is offered in both architectures", async () => {
    const { Images } = await ec2.send(
      new DescribeImagesCommand({
        Owners: ["amazon"],
        Filters: [{ Name: "name", Values: ["al2023-ami-2023.*"] }],
      }),
    );
    const ids = Images!.map((image) => image.ImageId).sort();
    expect(ids).toEqual([publicImageId("x86_64", region), publicImageId("arm64", region)].sort());
  });
});

test("a Spot instance can be taken back", async () => {
  const InstanceId = await run({ InstanceMarketOptions: { MarketType: "spot" } });
  expect((await untilState(InstanceId, "running")).InstanceLifecycle).toBe("spot");
  const post = (instanceId: string) =>
    fetch(`${running.endpoint}/_lab/ec2/interrupt`, {
      method: "POST",
      body: JSON.stringify({ instanceId, noticeMs: 1 }),
    });
  expect((await post(InstanceId)).status).toBe(200);
  const ended = await untilState(InstanceId, "terminated");
  expect(ended.StateReason?.Code).toBe("Server.SpotInstanceTermination");
  expect((await post(InstanceId)).status).toBe(404);
});

test("a test sees what is left, and where a disk is", async () => {
  const InstanceId = await run();
  const instance = await untilState(InstanceId, "running");
  const volumeId = instance.BlockDeviceMappings![0]!.Ebs!.VolumeId!;
  const read = async (path: string) => (await fetch(`${running.endpoint}/_lab/${path}`)).json();
  const disk = (await read(`volumes/${volumeId}`)) as { path: string; sizeBytes: number };
  expect((await stat(disk.path)).size).toBe(disk.sizeBytes);
  const list = async () =>
    (await read(`ec2/resources?accountId=${production}`)) as { instances: { id: string }[] };
  expect((await list()).instances.map((one) => one.id)).toContain(InstanceId);
  await terminate(InstanceId);
  expect((await list()).instances.map((one) => one.id)).not.toContain(InstanceId);
});

describe("a launch's rights", () => {
  const run1 = { ImageId, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1 } as const;
  const launch = (more: Partial<RunInstancesCommandInput> = {}) =>
    new RunInstancesCommand({ ...run1, ...more });
  const Tags = [{ Key: "garrison:run", Value: "r1" }];

  test("are asked on everything it uses, and a dry run says so", async () => {
    putRole(running.lab, production, { roleName: "launcher", actions: ["ec2:RunInstances"] });
    const launcher = await session("launcher");
    await expect(launcher.send(launch({ DryRun: true }))).rejects.toMatchObject({ name: "DryRunOperation" });
    putRole(running.lab, production, {
      roleName: "no-subnet",
      statements: [
        { Effect: "Allow", Action: "ec2:RunInstances", Resource: "*" },
        { Effect: "Deny", Action: "ec2:RunInstances", Resource: `arn:aws:ec2:*:${production}:subnet/*` },
      ],
    });
    const limited = await session("no-subnet");
    await expect(limited.send(launch({ DryRun: true }))).rejects.toMatchObject({
      name: "UnauthorizedOperation",
    });
  });

  test("include CreateTags with the creating action, and only that", async () => {
    putRole(running.lab, production, {
      roleName: "tagger",
      statements: [
        { Effect: "Allow", Action: ["ec2:RunInstances", "ec2:Describe*"], Resource: "*" },
        {
          Effect: "Allow",
          Action: "ec2:CreateTags",
          Resource: "*",
          Condition: {
            StringEquals: { "ec2:CreateAction": "RunInstances", "aws:RequestTag/garrison:run": "r1" },
          },
        },
      ],
    });
    const tagger = await session("tagger");
    const tagged = launch({ TagSpecifications: [{ ResourceType: "instance", Tags }] });
    const { Instances } = await tagger.send(tagged);
    const InstanceId = Instances![0]!.InstanceId!;
    const other = launch({
      TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "garrison:run", Value: "r2" }] }],
    });
    await expect(tagger.send(other)).rejects.toMatchObject({ name: "UnauthorizedOperation" });
    await expect(tagger.send(new CreateTagsCommand({ Resources: [InstanceId], Tags }))).rejects.toMatchObject(
      {
        name: "UnauthorizedOperation",
      },
    );
    await terminate(InstanceId);
  });

  test("include PassRole of the profile's role to EC2", async () => {
    putRole(running.lab, production, { roleName: "worker", actions: [] });
    const withProfile = launch({ IamInstanceProfile: { Name: "worker" }, DryRun: true });
    const launcher = await session("launcher");
    await expect(launcher.send(withProfile)).rejects.toMatchObject({
      name: "UnauthorizedOperation",
      message: expect.stringContaining("iam:PassRole"),
    });
    putRole(running.lab, production, {
      roleName: "passer",
      statements: [
        { Effect: "Allow", Action: "ec2:RunInstances", Resource: "*" },
        {
          Effect: "Allow",
          Action: "iam:PassRole",
          Resource: `arn:aws:iam::${production}:role/worker`,
          Condition: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
        },
      ],
    });
    const passer = await session("passer");
    await expect(passer.send(withProfile)).rejects.toMatchObject({ name: "DryRunOperation" });
  });

  test("of a role that can only talk are none at all", async () => {
    putRole(running.lab, production, { roleName: "talker", actions: ["sqs:*", "ssm:*", "ssmmessages:*"] });
    const talker = await session("talker");
    const denied = { name: "UnauthorizedOperation" };
    await expect(talker.send(new DescribeInstancesCommand({}))).rejects.toMatchObject(denied);
    await expect(talker.send(launch())).rejects.toMatchObject(denied);
    await expect(talker.send(new DescribeSnapshotsCommand({}))).rejects.toMatchObject(denied);
    const unknown = new TerminateInstancesCommand({ InstanceIds: ["i-0123456789abcdef0"] });
    await expect(talker.send(unknown)).rejects.toMatchObject(denied);
    await expect(ec2.send(unknown)).rejects.toMatchObject({ name: "InvalidInstanceID.NotFound" });
  });

  test("on the key of an encrypted disk show only afterwards: the instance dies", async () => {
    const InstanceId = await run({
      BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { Encrypted: true } }],
    });
    await untilState(InstanceId, "running");
    await terminate(InstanceId);
    putRole(running.lab, production, {
      roleName: "keyless",
      statements: [
        { Effect: "Allow", Action: "ec2:*", Resource: "*" },
        { Effect: "Deny", Action: "kms:CreateGrant", Resource: "*" },
      ],
    });
    const keyless = await session("keyless");
    const { Instances } = await keyless.send(
      launch({ BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { Encrypted: true } }] }),
    );
    const dead = await untilState(Instances![0]!.InstanceId!, "terminated");
    expect(dead.StateReason?.Code).toBe("Client.InternalError");
  });

  test("to terminate follow the instance's tags", async () => {
    putRole(running.lab, production, {
      roleName: "terminator",
      statements: [
        {
          Effect: "Allow",
          Action: "ec2:TerminateInstances",
          Resource: "*",
          Condition: { StringEquals: { "aws:ResourceTag/garrison:run": "r1" } },
        },
      ],
    });
    const terminator = await session("terminator");
    const ours = await run({ TagSpecifications: [{ ResourceType: "instance", Tags }] });
    const theirs = await run();
    await expect(
      terminator.send(new TerminateInstancesCommand({ InstanceIds: [ours, theirs] })),
    ).rejects.toMatchObject({ name: "UnauthorizedOperation" });
    await terminator.send(new TerminateInstancesCommand({ InstanceIds: [ours] }));
    await terminate(theirs);
  });
});

describe("snapshots and images", () => {
  async function webServer(name: string) {
    const imageFile = join(dataDir, `${name}.img`);
    await writeFile(imageFile, Buffer.alloc(3 * 1024 * 1024, 7));
    return await seedInstance(running.lab, {
      accountId: production,
      name,
      volumes: [
        { deviceName: "/dev/xvda", imageFile, fileSystem: "ext4" },
        { deviceName: "/dev/sdf", imageFile, tags: { role: "data" } },
      ],
    });
  }

  test("of an instance are taken of all its volumes, tags copied on request", async () => {
    const web = await webServer("web-1");
    expect(await webServer("web-1")).toEqual(web);
    const { Snapshots } = await ec2.send(
      new CreateSnapshotsCommand({
        InstanceSpecification: { InstanceId: web.instanceId },
        CopyTagsFromSource: "volume",
        TagSpecifications: [{ ResourceType: "snapshot", Tags: [{ Key: "garrison:run", Value: "r1" }] }],
      }),
    );
    expect(Snapshots!.map((one) => [one.VolumeId, one.State])).toEqual(
      web.volumes.map((volume) => [volume.volumeId, "pending"]),
    );
    const tags = Object.fromEntries(Snapshots![1]!.Tags!.map((tag) => [tag.Key, tag.Value]));
    expect(tags).toMatchObject({ role: "data", "garrison:run": "r1" });
    const ids = Snapshots!.map((one) => one.SnapshotId!);
    await until(async () => {
      const found = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: ids }));
      return found.Snapshots!.every(
        (one) => one.State === "completed" && one.FullSnapshotSizeInBytes === 3 * 1024 * 1024,
      );
    });
    for (const SnapshotId of ids) await ec2.send(new DeleteSnapshotCommand({ SnapshotId }));
  });

  test("may leave out the boot volume or named data volumes", async () => {
    const web = await webServer("web-2");
    const [root, data] = web.volumes;
    const take = (more: object) =>
      ec2.send(
        new CreateSnapshotsCommand({ InstanceSpecification: { InstanceId: web.instanceId, ...more } }),
      );
    const withoutBoot = await take({ ExcludeBootVolume: true });
    expect(withoutBoot.Snapshots!.map((one) => one.VolumeId)).toEqual([data!.volumeId]);
    const withoutData = await take({ ExcludeDataVolumeIds: [data!.volumeId] });
    expect(withoutData.Snapshots!.map((one) => one.VolumeId)).toEqual([root!.volumeId]);
    await expect(take({ ExcludeDataVolumeIds: ["vol-0123456789abcdef0"] })).rejects.toMatchObject({
      name: "InvalidParameterValue",
    });
  });

  test("a registered image keeps its snapshots and starts instances with their bytes", async () => {
    const web = await webServer("web-3");
    const { Snapshots } = await ec2.send(
      new CreateSnapshotsCommand({
        InstanceSpecification: {
          InstanceId: web.instanceId,
          ExcludeDataVolumeIds: [web.volumes[1]!.volumeId],
        },
      }),
    );
    const SnapshotId = Snapshots![0]!.SnapshotId!;
    await until(async () => {
      const found = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }));
      return found.Snapshots![0]!.State === "completed";
    });
    const image = await ec2.send(
      new RegisterImageCommand({
        Name: "restored web-3",
        Architecture: "x86_64",
        VirtualizationType: "hvm",
        EnaSupport: true,
        RootDeviceName: "/dev/xvda",
        BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId } }],
      }),
    );
    await expect(ec2.send(new DeleteSnapshotCommand({ SnapshotId }))).rejects.toMatchObject({
      name: "InvalidSnapshot.InUse",
    });
    const InstanceId = await run({ ImageId: image.ImageId! });
    const instance = await untilState(InstanceId, "running");
    const volumeId = instance.BlockDeviceMappings![0]!.Ebs!.VolumeId!;
    const { volumes, snapshots } = running.lab.ec2.disks;
    expect([...snapshots.index(SnapshotId).blocks]).toEqual([0, 1, 2, 3, 4, 5]);
    const again = await snapshots.capture(
      { snapshotId: "snap-check", sizeBytes: 1024 ** 3, lineage: "check" },
      volumes.path(volumeId),
      running.lab.stopping,
    );
    expect(again.digests.equals(snapshots.index(SnapshotId).digests)).toBe(true);
    await terminate(InstanceId);
    // What was launched a moment ago has hold of its bytes.
    const last = await run({ ImageId: image.ImageId! });
    await ec2.send(new DeregisterImageCommand({ ImageId: image.ImageId }));
    await ec2.send(new DeleteSnapshotCommand({ SnapshotId }));
    const { BlockDeviceMappings: devices } = await untilState(last, "running");
    const file = await open(volumes.path(devices![0]!.Ebs!.VolumeId!), "r");
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 1024 * 1024);
    await file.close();
    expect([...buffer]).toEqual([7, 7, 7, 7]);
    await terminate(last);
  });
});

describe("volumes", () => {
  test("are attached to an instance of their zone and detached again", async () => {
    const InstanceId = await run();
    await untilState(InstanceId, "running");
    const [near, far] = await Promise.all(
      ["a", "b"].map(async (letter) => {
        const made = await ec2.send(
          new CreateVolumeCommand({ AvailabilityZone: region + letter, Size: 1, VolumeType: "gp3" }),
        );
        return made.VolumeId!;
      }),
    );
    const stateOf = async (VolumeId: string) =>
      (await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }))).Volumes![0]!.State;
    for (const volumeId of [near!, far!]) await until(async () => (await stateOf(volumeId)) === "available");
    const attach = (VolumeId: string) =>
      ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: "/dev/sdg" }));
    await expect(attach(far!)).rejects.toMatchObject({ name: "InvalidVolume.ZoneMismatch" });
    await attach(near!);
    await expect(ec2.send(new DeleteVolumeCommand({ VolumeId: near! }))).rejects.toMatchObject({
      name: "VolumeInUse",
    });
    await ec2.send(new DetachVolumeCommand({ VolumeId: near! }));
    await until(async () => (await stateOf(near!)) === "available");
    for (const VolumeId of [near!, far!]) await ec2.send(new DeleteVolumeCommand({ VolumeId }));
    await expect(stateOf(near!)).rejects.toMatchObject({ name: "InvalidVolume.NotFound" });
    await terminate(InstanceId);
  });

  test("are listed page by page, each once", async () => {
    const made = new Set<string>();
    for (let index = 0; index < 12; index++) {
      const { VolumeId } = await ec2.send(
        new CreateVolumeCommand({
          AvailabilityZone: `${region}a`,
          Size: 1,
          TagSpecifications: [{ ResourceType: "volume", Tags: [{ Key: "paged", Value: "yes" }] }],
        }),
      );
      made.add(VolumeId!);
    }
    const seen: string[] = [];
    const filter = { Filters: [{ Name: "tag:paged", Values: ["y*"] }] };
    for await (const page of paginateDescribeVolumes({ client: ec2, pageSize: 5 }, filter)) {
      seen.push(...page.Volumes!.map((volume) => volume.VolumeId!));
    }
    expect(seen.sort()).toEqual([...made].sort());
  });
});

describe("the network", () => {
  test("is the account's own default VPC with two zones", async () => {
    const { Subnets } = await ec2.send(new DescribeSubnetsCommand({}));
    expect(Subnets!.map((subnet) => subnet.AvailabilityZone).sort()).toEqual([`${region}a`, `${region}b`]);
    const other = await client(running.operators[backup]!).send(new DescribeSubnetsCommand({}));
    const ids = new Set(Subnets!.map((subnet) => subnet.SubnetId));
    expect(other.Subnets!.some((subnet) => ids.has(subnet.SubnetId))).toBe(false);
  });

  test("has security groups with rules, which can't be deleted while in use", async () => {
    const { GroupId } = await ec2.send(
      new CreateSecurityGroupCommand({ GroupName: "web", Description: "web servers" }),
    );
    const rule = { IpProtocol: "tcp", FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: "10.0.0.0/8" }] };
    const allow = () =>
      ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] }));
    await allow();
    await expect(allow()).rejects.toMatchObject({ name: "InvalidPermission.Duplicate" });
    const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId!] }));
    expect(SecurityGroups![0]!.IpPermissions).toMatchObject([rule]);
    const { Subnets } = await ec2.send(new DescribeSubnetsCommand({}));
    await ec2.send(
      new CreateNetworkInterfaceCommand({ SubnetId: Subnets![0]!.SubnetId, Groups: [GroupId!] }),
    );
    await expect(ec2.send(new DeleteSecurityGroupCommand({ GroupId }))).rejects.toMatchObject({
      name: "DependencyViolation",
    });
  });
});

test("tags are added, listed and removed", async () => {
  const InstanceId = await run();
  const Tags = [
    { Key: "a", Value: "1" },
    { Key: "b", Value: "2" },
  ];
  await ec2.send(new CreateTagsCommand({ Resources: [InstanceId], Tags }));
  await ec2.send(
    new DeleteTagsCommand({ Resources: [InstanceId], Tags: [{ Key: "a", Value: "other" }, { Key: "b" }] }),
  );
  const found = await ec2.send(
    new DescribeTagsCommand({ Filters: [{ Name: "resource-id", Values: [InstanceId] }] }),
  );
  expect(found.Tags).toEqual([{ ResourceId: InstanceId, ResourceType: "instance", Key: "a", Value: "1" }]);
  const reserved = new CreateTagsCommand({ Resources: [InstanceId], Tags: [{ Key: "aws:x", Value: "" }] });
  await expect(ec2.send(reserved)).rejects.toMatchObject({ name: "InvalidParameterValue" });
  await terminate(InstanceId);
});

test("a filter that AWS doesn't have is refused", async () => {
  const unknown = new DescribeInstancesCommand({ Filters: [{ Name: "colour", Values: ["red"] }] });
  await expect(ec2.send(unknown)).rejects.toMatchObject({
    name: "InvalidParameterValue",
    message: "The filter 'colour' is invalid",
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  EC2Client,
  GetConsoleOutputCommand,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  GetParameterCommand,
  SendCommandCommand,
  SSMClient,
} from "@aws-sdk/client-ssm";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { afterAll, beforeAll, expect, test } from "vitest";

const accountId = "222222222222";
let folder: string;
let lab: RunningLab;
let ec2: EC2Client;
let ssm: SSMClient;

function openClients(): void {
  const config = { endpoint: lab.endpoint, region: "eu-central-1", credentials: lab.operators[accountId]! };
  ec2 = new EC2Client(config);
  ssm = new SSMClient(config);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-ec2-machines-"));
  lab = await startLab({ dataDir: folder, seed: "demo" });
  openClients();
  const iam = new IAMClient({
    endpoint: lab.endpoint,
    region: "eu-central-1",
    credentials: lab.operators[accountId]!,
  });
  const RoleName = "machine";
  const statement = {
    Effect: "Allow",
    Principal: { Service: "ec2.amazonaws.com" },
    Action: "sts:AssumeRole",
  };
  const document = (Statement: object) => JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(statement) }));
  const all = document({ Effect: "Allow", Action: ["ssm:*", "ssmmessages:*"], Resource: "*" });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "all", PolicyDocument: all }));
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: RoleName }));
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: RoleName, RoleName }));
});

afterAll(async () => {
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((next) => setTimeout(next, 30));
  }
}

const registered = (id: string) =>
  until(async () => {
    const { InstanceInformationList = [] } = await ssm.send(new DescribeInstanceInformationCommand({}));
    return InstanceInformationList.find(({ InstanceId }) => InstanceId === id);
  });

const stateOf = async (id: string) => {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return Reservations?.[0]?.Instances?.[0]?.State?.Name;
};

async function launch(): Promise<string> {
  const Name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({}));
  const { Instances } = await ec2.send(
    new RunInstancesCommand({
      ImageId: Parameter!.Value!,
      InstanceType: "t3.medium",
      MinCount: 1,
      MaxCount: 1,
      SubnetId: Subnets![0]!.SubnetId!,
      IamInstanceProfile: { Name: "machine" },
      InstanceInitiatedShutdownBehavior: "terminate",
      TagSpecifications: [
        { ResourceType: "instance", Tags: [{ Key: "garrison:installation", Value: "0000aaaa" }] },
      ],
    }),
  );
  return Instances![0]!.InstanceId!;
}

test("an instance of the public image registers, runs a command, and shutdown terminates it", async () => {
  const id = await launch();
  await registered(id);
  const { Command } = await ssm.send(
    new SendCommandCommand({
      InstanceIds: [id],
      DocumentName: "AWS-RunShellScript",
      Parameters: { commands: ["echo hello"] },
    }),
  );
  const answer = await until(async () => {
    const found = await ssm
      .send(new GetCommandInvocationCommand({ CommandId: Command!.CommandId!, InstanceId: id }))
      .catch(() => undefined);
    return found?.Status === "Success" ? found : undefined;
  });
  expect(answer.StandardOutputContent).toBe("hello\n");
  const off = { commands: ["setsid sh -c 'sleep 0.3; shutdown -h now' >/dev/null 2>&1 &"] };
  await ssm.send(
    new SendCommandCommand({ InstanceIds: [id], DocumentName: "AWS-RunShellScript", Parameters: off }),
  );
  await until(async () => ((await stateOf(id)) === "terminated" ? true : undefined));
  const console = await ec2.send(new GetConsoleOutputCommand({ InstanceId: id }));
  expect(Buffer.from(console.Output ?? "", "base64").toString()).toContain("amazon-ssm-agent: registered");
});

test("an instance that a stopped lab left isn't running in the next", async () => {
  const id = await launch();
  await registered(id);
  await lab.stop();
  lab = await startLab({ dataDir: folder, seed: "demo" });
  openClients();
  expect(await stateOf(id)).not.toBe("running");
});

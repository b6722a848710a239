import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CancelCommandCommand,
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  SendCommandCommand,
  SSMClient,
} from "@aws-sdk/client-ssm";
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { findMarkedProcesses } from "@garrison/lab/instances/process-identity";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const accountId = "222222222222";
const region = "eu-central-1";
const allowAll = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } };

interface Ended {
  readonly instanceId: string;
  readonly kind: string;
}

describe.each(["auto", "off"] as const)("a machine with namespaces %s", (namespaces) => {
  let folder: string;
  let lab: RunningLab;
  let ssm: SSMClient;
  let ended: Ended[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lab-machines-"));
    lab = await startLab({
      dataDir: folder,
      seed: "demo",
      machines: { namespaces, agentHibernationMs: 300 },
    });
    ended = [];
    lab.lab.machines.onPowerOff = (instanceId, kind) => void ended.push({ instanceId, kind });
    const credentials = lab.operators[accountId]!;
    ssm = new SSMClient({ endpoint: lab.endpoint, region, credentials });
    await createRole("machine", allowAll);
  });

  afterEach(async () => {
    ssm.destroy();
    await lab.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function createRole(RoleName: string, policy: object): Promise<void> {
    const iam = new IAMClient({ endpoint: lab.endpoint, region, credentials: lab.operators[accountId]! });
    const trust = {
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
    };
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }));
    await iam.send(
      new PutRolePolicyCommand({ RoleName, PolicyName: "all", PolicyDocument: JSON.stringify(policy) }),
    );
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: RoleName }));
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: RoleName, RoleName }));
  }

  function boot(instanceId: string, roleName = "machine"): void {
    lab.lab.machines.boot({
      instanceId,
      accountId,
      region,
      privateIp: "10.0.0.5",
      imageId: "ami-12345678",
      roleArn: `arn:aws:iam::${accountId}:role/${roleName}`,
      tags: { Name: instanceId },
    });
  }

  async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      await new Promise((next) => setTimeout(next, 30));
    }
  }

  const online = (instanceId: string) =>
    until(async () => {
      const { InstanceInformationList = [] } = await ssm.send(new DescribeInstanceInformationCommand({}));
      return InstanceInformationList.find(
        (one) => one.InstanceId === instanceId && one.PingStatus === "Online",
      );
    });

  async function send(
    instanceId: string,
    commands: string[],
    more: Record<string, string[]> = {},
  ): Promise<string> {
    const Parameters = { commands, ...more };
    const sent = await ssm.send(
      new SendCommandCommand({ InstanceIds: [instanceId], DocumentName: "AWS-RunShellScript", Parameters }),
    );
    return sent.Command!.CommandId!;
  }

  const outcome = (CommandId: string, InstanceId: string) =>
    until(async () => {
      const answer = await ssm
        .send(new GetCommandInvocationCommand({ CommandId, InstanceId }))
        .catch((error: Error) => {
          if (error.name !== "InvocationDoesNotExist") throw error;
        });
      return answer && !["Pending", "InProgress", "Cancelling"].includes(answer.Status!) ? answer : undefined;
    });

  const run = async (instanceId: string, commands: string[], more?: Record<string, string[]>) =>
    outcome(await send(instanceId, commands, more), instanceId);

  test("runs commands under its role and tells how they ended", async () => {
    boot("i-0aaaaaaaaaaaaaaa1");
    const instance = await online("i-0aaaaaaaaaaaaaaa1");
    expect(instance.PlatformName).toBe("Amazon Linux");
    const hello = await run("i-0aaaaaaaaaaaaaaa1", ["echo hello", "echo oops >&2", "exit 3"]);
    expect(hello).toMatchObject({ Status: "Failed", ResponseCode: 3, StandardOutputContent: "hello\n" });
    expect(hello.StandardErrorContent).toBe("oops\nfailed to run commands: exit status 3");
    const token =
      'T=$(curl -s -X PUT -H "x-aws-ec2-metadata-token-ttl-seconds: 60" $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/api/token)';
    const read = (path: string) =>
      `curl -s -H "x-aws-ec2-metadata-token: $T" $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/${path}; echo`;
    const metadata = await run("i-0aaaaaaaaaaaaaaa1", [
      token,
      read("meta-data/instance-id"),
      read("meta-data/placement/region"),
      read("meta-data/iam/security-credentials/"),
      'curl -s -o /dev/null -w "%{http_code}" $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/meta-data/instance-id',
    ]);
    expect(metadata.StandardOutputContent).toBe("i-0aaaaaaaaaaaaaaa1\neu-central-1\nmachine\n401");
  });

  test("of long outputs the beginning is kept", async () => {
    boot("i-0aaaaaaaaaaaaaaa1");
    await online("i-0aaaaaaaaaaaaaaa1");
    const long = await run("i-0aaaaaaaaaaaaaaa1", ["seq 1 20000", "seq 1 20000 >&2"]);
    expect(long.StandardOutputContent).toHaveLength(24_000);
    expect(long.StandardErrorContent).toHaveLength(8_000);
    expect(long.StandardOutputContent).toMatch(/^1\n2\n/);
  });

  test("shutdown ends this machine and no other", async () => {
    boot("i-0aaaaaaaaaaaaaaa1");
    boot("i-0aaaaaaaaaaaaaaa2");
    await Promise.all([online("i-0aaaaaaaaaaaaaaa1"), online("i-0aaaaaaaaaaaaaaa2")]);
    await run("i-0aaaaaaaaaaaaaaa1", ["setsid sh -c 'sleep 0.2; shutdown -h now' >/dev/null 2>&1 &"]);
    await until(() => ended[0]);
    expect(ended).toEqual([{ instanceId: "i-0aaaaaaaaaaaaaaa1", kind: "shutdown" }]);
    expect(lab.lab.machines.isRunning("i-0aaaaaaaaaaaaaaa1")).toBe(false);
    expect(lab.lab.machines.consoleOutput("i-0aaaaaaaaaaaaaaa1")).toContain("machine stopping");
    const still = await run("i-0aaaaaaaaaaaaaaa2", ["echo still here"]);
    expect(still.StandardOutputContent).toBe("still here\n");
  });

  test("a reboot starts the machine anew, with its files", async () => {
    boot("i-0aaaaaaaaaaaaaaa1");
    const first = await online("i-0aaaaaaaaaaaaaaa1");
    await run("i-0aaaaaaaaaaaaaaa1", [
      "echo kept > ~/kept",
      "setsid sh -c 'sleep 0.2; reboot' >/dev/null 2>&1 &",
    ]);
    await until(async () => {
      const again = await online("i-0aaaaaaaaaaaaaaa1");
      return again.RegistrationDate!.getTime() > first.RegistrationDate!.getTime() ? again : undefined;
    });
    expect((await run("i-0aaaaaaaaaaaaaaa1", ["cat ~/kept"])).StandardOutputContent).toBe("kept\n");
    expect(ended).toEqual([]);
  });

  test("detached programs outlive their command, but not their machine", async () => {
    boot("i-0aaaaaaaaaaaaaaa1");
    await online("i-0aaaaaaaaaaaaaaa1");
    const file = join(folder, "ticks");
    const started = await run("i-0aaaaaaaaaaaaaaa1", [
      `setsid sh -c 'while :; do echo tick >> ${file}; sleep 0.05; done' >/dev/null 2>&1 &`,
      "echo done",
    ]);
    expect(started.Status).toBe("Success");
    const size = async () => (await readFile(file, "utf8").catch(() => "")).length;
    const before = await size();
    await until(async () => ((await size()) > before + 10 ? true : undefined));
    lab.lab.machines.terminate("i-0aaaaaaaaaaaaaaa1");
    const settle = () => new Promise((next) => setTimeout(next, 300));
    await settle();
    const after = await size();
    await settle();
    expect(await size()).toBe(after);
    expect(ended).toEqual([]);
  });

  test("a command ends when it is cancelled", async () => {
    boot("i-0aaaaaaaaaaaaaaa1");
    await online("i-0aaaaaaaaaaaaaaa1");
    const CommandId = await send("i-0aaaaaaaaaaaaaaa1", ["echo started; sleep 600"]);
    await until(async () => {
      const answer = await ssm
        .send(new GetCommandInvocationCommand({ CommandId, InstanceId: "i-0aaaaaaaaaaaaaaa1" }))
        .catch(() => undefined);
      return answer?.Status === "InProgress" ? true : undefined;
    });
    await ssm.send(new CancelCommandCommand({ CommandId }));
    expect((await outcome(CommandId, "i-0aaaaaaaaaaaaaaa1")).Status).toBe("Cancelled");
  });

  test("without the message gateway commands come by ec2messages", async () => {
    const deny = { Effect: "Deny", Action: "ssmmessages:*", Resource: "*" };
    await createRole("polling", { Version: "2012-10-17", Statement: [allowAll.Statement, deny] });
    boot("i-0aaaaaaaaaaaaaaa1", "polling");
    await online("i-0aaaaaaaaaaaaaaa1");
    expect((await run("i-0aaaaaaaaaaaaaaa1", ["echo polled"])).StandardOutputContent).toBe("polled\n");
    expect(lab.lab.machines.consoleOutput("i-0aaaaaaaaaaaaaaa1")).toContain("polling ec2messages instead");
  });

  test("an agent whose first ping is denied hibernates and registers later", async () => {
    await createRole("late", {
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: "s3:*", Resource: "*" },
    });
    boot("i-0aaaaaaaaaaaaaaa1", "late");
    await until(() =>
      lab.lab.machines.consoleOutput("i-0aaaaaaaaaaaaaaa1").includes("hibernating") ? true : undefined,
    );
    const iam = new IAMClient({ endpoint: lab.endpoint, region, credentials: lab.operators[accountId]! });
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: "late",
        PolicyName: "all",
        PolicyDocument: JSON.stringify(allowAll),
      }),
    );
    await online("i-0aaaaaaaaaaaaaaa1");
  });

  test("a Spot interruption shows in the metadata once it is provoked", async () => {
    boot("i-0aaaaaaaaaaaaaaa1");
    await online("i-0aaaaaaaaaaaaaaa1");
    const look = [
      'T=$(curl -s -X PUT -H "x-aws-ec2-metadata-token-ttl-seconds: 60" $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/api/token)',
      'curl -s -f -H "x-aws-ec2-metadata-token: $T" $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/meta-data/spot/instance-action',
    ];
    expect((await run("i-0aaaaaaaaaaaaaaa1", look)).ResponseCode).toBe(22);
    await fetch(`${lab.endpoint}/_lab/machines/i-0aaaaaaaaaaaaaaa1/spot-interruption`, { method: "POST" });
    const answer = await run("i-0aaaaaaaaaaaaaaa1", look);
    expect(JSON.parse(answer.StandardOutputContent!)).toMatchObject({ action: "terminate" });
  });

  test("what would act on the host doesn't", async () => {
    boot("i-0aaaaaaaaaaaaaaa1");
    await online("i-0aaaaaaaaaaaaaaa1");
    const tries = [
      "systemd-run --unit x --setenv=A=b sh -c 'echo $A > ~/detached'; echo $?",
      "systemctl start x; echo $?",
      "modprobe nbd; echo $?",
      "dnf install -y jq; echo $?",
    ];
    const { StandardOutputContent = "" } = await run("i-0aaaaaaaaaaaaaaa1", tries);
    expect(StandardOutputContent.split("\n").filter((line) => /^\d$/.test(line))).toEqual([
      "0",
      "1",
      "1",
      "0",
    ]);
    if (namespaces === "off" || process.getuid?.() !== 0) return;
    await run("i-0aaaaaaaaaaaaaaa1", ["echo mine > /opt/of-a-machine"]);
    expect(existsSync("/opt/of-a-machine")).toBe(false);
    const bin = join(folder, "machines", "i-0aaaaaaaaaaaaaaa1", "bin");
    const covered =
      "for folder in /sbin /usr/sbin /usr/bin; do for name in shutdown reboot systemctl; do [ -e $folder/$name ] && ! ";
    const uncovered = await run("i-0aaaaaaaaaaaaaaa1", [
      `${covered} cmp -s $folder/$name ${bin}/shutdown && echo $folder/$name; done; done; true`,
    ]);
    expect(uncovered.StandardOutputContent).toBe("");
    const processes = await run("i-0aaaaaaaaaaaaaaa1", ["ls -d /proc/[0-9]* | wc -l"]);
    expect(Number(processes.StandardOutputContent)).toBeLessThan(15);
  });

  test("an instance that never registered can't be sent a command", async () => {
    await expect(send("i-0aaaaaaaaaaaaaaa9", ["true"])).rejects.toMatchObject({ name: "InvalidInstanceId" });
  });

  test("a machine doesn't outlive its lab", async () => {
    boot("i-0aaaaaaaaaaaaaaa1");
    await online("i-0aaaaaaaaaaaaaaa1");
    const file = join(folder, "pid");
    await run("i-0aaaaaaaaaaaaaaa1", [`setsid sleep 600 >/dev/null 2>&1 & echo $! > ${file}`]);
    const marked = () => findMarkedProcesses("GARRISON_LAB_MACHINE=i-0aaaaaaaaaaaaaaa1").length;
    expect(marked()).toBeGreaterThan(0);
    await lab.stop();
    await until(() => (marked() === 0 ? true : undefined));
    lab = await startLab({ dataDir: folder, seed: "demo", machines: { namespaces } });
    expect(lab.lab.machines.isRunning("i-0aaaaaaaaaaaaaaa1")).toBe(false);
  });
});

import { CreateRoleCommand, IAMClient, ListRolesCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

interface Ready {
  readonly endpoint: string;
  readonly region: string;
  readonly accounts: readonly {
    readonly accountId: string;
    readonly name: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  }[];
}

const program = new URL("../../packages/lab/src/main.ts", import.meta.url).pathname;
const started: ChildProcess[] = [];
let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lab-"));
});
afterEach(async () => {
  for (const child of started.splice(0)) await end(child, "SIGKILL");
  await rm(dataDir, { recursive: true });
});

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

async function start(...args: string[]): Promise<{ child: ChildProcess; ready: Ready }> {
  const child = spawn(process.execPath, [program, "--port", "0", "--data", dataDir, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, ready: JSON.parse(line.toString()) as Ready };
}

function operatorOf({ accounts }: Ready, name: string) {
  const { accessKeyId, secretAccessKey, accountId } = accounts.find((account) => account.name === name)!;
  return { accountId, credentials: { accessKeyId, secretAccessKey } };
}

describe("the program", () => {
  test("prints endpoint and accounts, and has everything again after a kill -9", async () => {
    const first = await start();
    const { accountId, credentials } = operatorOf(first.ready, "production");
    const settings = { region: first.ready.region, credentials };
    const iam = new IAMClient({ ...settings, endpoint: first.ready.endpoint });
    const trust = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { AWS: accountId }, Action: "sts:AssumeRole" }],
    };
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName: "kept", AssumeRolePolicyDocument: JSON.stringify(trust) }),
    );
    const sts = new STSClient({ ...settings, endpoint: first.ready.endpoint });
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "kept" }),
    );
    await end(first.child, "SIGKILL");

    const second = await start();
    expect(second.ready.accounts).toEqual(first.ready.accounts);
    const { Roles } = await new IAMClient({ ...settings, endpoint: second.ready.endpoint }).send(
      new ListRolesCommand({}),
    );
    expect(Roles!.map((role) => role.RoleId)).toEqual([Role!.RoleId]);
    const session = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    };
    const who = await new STSClient({
      ...settings,
      credentials: session,
      endpoint: second.ready.endpoint,
    }).send(new GetCallerIdentityCommand({}));
    expect(who.Arn).toBe(`arn:aws:sts::${accountId}:assumed-role/kept/kept`);
  });

  test("ends cleanly on SIGTERM, and refuses a folder or a port that another lab has", async () => {
    const { child, ready } = await start();
    const refusal = async (...args: string[]) => {
      const other = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "ignore", "pipe"] });
      started.push(other);
      const texts: string[] = [];
      other.stderr.on("data", (text: Buffer) => texts.push(text.toString()));
      const [code] = (await once(other, "close")) as [number];
      return `${code} ${texts.join("")}`;
    };
    expect(await refusal("--port", "0", "--data", dataDir)).toMatch(/^2 lab: lab-folder-in-use/);
    expect(await refusal("--port", new URL(ready.endpoint).port, "--data", join(dataDir, "other"))).toMatch(
      /^2 lab: lab-port-in-use/,
    );
    child.kill("SIGTERM");
    const [code] = (await once(child, "exit")) as [number];
    expect(code).toBe(0);
  });

  test("without a seed has no accounts", async () => {
    const { ready } = await start("--seed", "none");
    expect(ready.accounts).toEqual([]);
  });
});

test("IAM changes arrive late where that is asked for", async () => {
  const { ready } = await start("--iam-delay-ms", "600");
  const { accountId, credentials } = operatorOf(ready, "backup");
  const settings = { region: ready.region, endpoint: ready.endpoint, credentials, maxAttempts: 1 };
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: accountId }, Action: "sts:AssumeRole" }],
  };
  const { Role } = await new IAMClient(settings).send(
    new CreateRoleCommand({ RoleName: "late", AssumeRolePolicyDocument: JSON.stringify(trust) }),
  );
  const sts = new STSClient(settings);
  const assume = () => sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "late" }));
  await expect(assume()).rejects.toMatchObject({ name: "AccessDenied" });
  await expect
    .poll(
      () =>
        assume().then(
          () => "assumed",
          () => "denied",
        ),
      { timeout: 10_000 },
    )
    .toBe("assumed");
});

/** botocore reads the wire by models of its own; Debian's version is the oldest that has to work. */
const awsCommand = "/usr/bin/aws";

describe.skipIf(!existsSync(awsCommand))("the aws command", () => {
  async function aws(ready: Ready, ...args: string[]): Promise<unknown> {
    const { credentials } = operatorOf(ready, "production");
    const environment = {
      PATH: process.env["PATH"],
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_DEFAULT_REGION: ready.region,
      AWS_CONFIG_FILE: "/dev/null",
      AWS_PAGER: "",
    };
    const { stdout } = await promisify(execFile)(
      awsCommand,
      ["--endpoint-url", ready.endpoint, "--output", "json", ...args],
      { env: environment },
    );
    return stdout === "" ? undefined : JSON.parse(stdout);
  }

  test("names the caller, makes roles, simulates, and reads errors", async () => {
    const { ready } = await start();
    const { accountId, credentials } = operatorOf(ready, "production");
    expect(await aws(ready, "sts", "get-caller-identity")).toMatchObject({
      Account: accountId,
      Arn: `arn:aws:iam::${accountId}:user/operator`,
    });
    const iam = new IAMClient({ region: ready.region, endpoint: ready.endpoint, credentials });
    const trust = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
    };
    const document = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: "*" }],
    };
    await iam.send(
      new CreateRoleCommand({ RoleName: "talker", AssumeRolePolicyDocument: JSON.stringify(trust) }),
    );
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: "talker",
        PolicyName: "talk",
        PolicyDocument: JSON.stringify(document),
      }),
    );
    expect(await aws(ready, "iam", "get-role", "--role-name", "talker")).toMatchObject({
      Role: { AssumeRolePolicyDocument: trust },
    });
    const simulated = await aws(
      ready,
      "iam",
      "simulate-principal-policy",
      "--policy-source-arn",
      `arn:aws:iam::${accountId}:role/talker`,
      "--action-names",
      "sqs:SendMessage",
      "sqs:DeleteQueue",
      "--context-entries",
      "ContextKeyName=aws:RequestedRegion,ContextKeyValues=eu-central-1,ContextKeyType=string",
    );
    expect(simulated).toMatchObject({
      EvaluationResults: [{ EvalDecision: "allowed" }, { EvalDecision: "implicitDeny" }],
    });
    await expect(aws(ready, "iam", "get-role", "--role-name", "nobody")).rejects.toThrow(
      /\(NoSuchEntity\).*The role with name nobody cannot be found/,
    );
    expect(await aws(ready, "kms", "list-aliases")).toEqual({ Aliases: [] });
    expect(await aws(ready, "organizations", "describe-organization")).toMatchObject({
      Organization: { Id: "o-garrisonlab" },
    });
  });
});

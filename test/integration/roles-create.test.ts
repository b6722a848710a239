import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListPolicyVersionsCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { createRole, planRoleChanges } from "@garrison/aws/create-role";
import { executeRoleChanges } from "@garrison/aws/execute-role-changes";
import { readRoleBefore } from "@garrison/aws/read-role-before";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { exportRole } from "@garrison/roles/export-role";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runRoles } from "./run-roles.ts";

const [backup, production] = ["111111111111", "222222222222"];
const region = "eu-central-1";
const call = { signal: new AbortController().signal };
const ours = [
  "--backup-account",
  backup,
  "--production-account",
  production,
  "--external-id",
  "garrison-7f3a",
];

let lab: RunningLab;
let folder: string;
let operator: AwsClients;
const iam = () => operator.iam();
const file = (name: string) => join(folder, name);
const arnOf = (name: string) => `arn:aws:iam::${production}:role/${name}`;
const policyArn = (name: string) => `arn:aws:iam::${production}:policy/${name}`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "garrison-create-"));
  lab = await startLab({ dataDir: join(folder, "lab"), seed: "demo" });
  const keys = lab.operators[production]!;
  operator = openAwsClients({ region, endpoint: lab.endpoint, credentials: async () => keys });
  const accounts = { backup, production };
  await createRole(operator, exportRole("worker", { accounts, externalId: "garrison-7f3a" }), call);
});

afterAll(async () => {
  operator?.close();
  await lab?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...words: readonly string[]) => runRoles({ lab, account: production, region, folder }, ...words);
const create = (id: string, name: string, ...more: readonly string[]) =>
  run("create", id, ...ours, "--name", `${id}=${name}`, "--wait", "0", ...more);
const state = (name: string, ...managedNames: string[]) =>
  readRoleBefore(iam(), { roleArn: arnOf(name), managedNames }, call);
const allow = (Action: string) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] });

describe("garrison roles create", () => {
  it("writes a role, checks it again, has nothing to do a second time, and is undone without a trace", async () => {
    const undo = file("fresh.json");
    const made = await create("worker", "fresh", "--yes", "--undo-file", undo);
    expect(made.stdout).toContain("create the role: fresh");
    expect(made.stdout).toContain(`4 changes written.\nTo take them back: garrison roles undo ${undo}\n`);
    expect(made.stdout).toContain("fresh: The role holds (checked with your own rights");
    expect(made.code).toBe(0);
    const again = await create("worker", "fresh", "--yes");
    expect(again.stdout).toContain("fresh: as documented already");
    expect(again.code).toBe(0);
    const undone = await run("undo", undo, "--yes");
    expect(undone.stdout).toContain("delete the role: fresh");
    expect(undone.stdout).toContain("4 changes taken back.");
    expect(await state("fresh")).toEqual({ roleArn: arnOf("fresh"), profiles: [], managed: {} });
    expect((await run("undo", undo, "--yes")).stdout).toContain("is as it was before");
  });

  it("changes a role that is there, and undo puts it back to the letter", async () => {
    const before = await state("garrison-worker");
    const undo = file("changed.json");
    const done = await run("create", "worker", ...ours, "--regions", region, "--yes", "--undo-file", undo);
    expect(done.stdout).toContain("write the inline policy: garrison-worker");
    expect(done.code).toBe(0);
    expect(await state("garrison-worker")).not.toEqual(before);
    await run("undo", undo, "--yes");
    expect(await state("garrison-worker")).toEqual(before);
  });

  it("leaves a role that got something else meanwhile: refused, and with --force it stays without what was ours", async () => {
    const undo = file("shared.json");
    await create("worker", "shared", "--yes", "--undo-file", undo);
    const theirs = { RoleName: "shared", PolicyName: "theirs" };
    await iam().send(new PutRolePolicyCommand({ ...theirs, PolicyDocument: allow("s3:GetObject") }));
    const refused = await run("undo", undo, "--yes");
    expect(refused.stderr).toContain("the inline policy theirs changed since");
    expect(refused.code).toBe(1);
    const forced = await run("undo", undo, "--yes", "--force");
    expect(forced.code).toBe(0);
    const left = await state("shared");
    expect(left).toMatchObject({ held: { attachedPolicies: [] }, profiles: [] });
    expect(Object.keys(left.held?.inlinePolicies ?? {})).toEqual(["theirs"]);
    await iam().send(new DeleteRolePolicyCommand(theirs));
    expect((await run("undo", undo, "--yes")).stdout).toContain("delete the role: shared");
    expect(await state("shared")).not.toHaveProperty("held");
  });

  it("writes nothing, and notes nothing, when somebody has made the role since the difference was shown", async () => {
    const documents = exportRole("worker", {
      accounts: { backup, production },
      externalId: "garrison-7f3a",
      names: { worker: "overtaken" },
    });
    const { before, changes } = await planRoleChanges(operator, documents, call);
    await createRole(operator, documents, call);
    let isNoted = false;
    const record = async () => void (isNoted = true);
    await expect(
      executeRoleChanges(iam(), { expected: before, changes, record }, call),
    ).rejects.toMatchObject({
      code: "role-changed",
      message: expect.stringContaining("it was made meanwhile"),
    });
    expect(isNoted).toBe(false);
  });

  it("writes nothing without a yes, and no undo file", async () => {
    const refused = await create("worker", "unasked");
    expect(refused.stderr).toContain("4 changes need a yes: run on a terminal or give --yes");
    expect(refused.code).toBe(2);
    const place = { lab, account: production, region, folder, typed: "no\n" };
    const said = await runRoles(place, "create", "worker", ...ours, "--name", "worker=unasked");
    expect(said.stdout).toContain("Write these 4 changes? (yes/no) ");
    expect(said.stdout).toContain("Nothing was changed.");
    expect(said.code).toBe(1);
    expect(await state("unasked")).not.toHaveProperty("held");
    expect(readdirSync(process.cwd()).filter((name) => name.startsWith("garrison-undo-"))).toEqual([]);
  });
});

describe("every role that this release uses", () => {
  const inProduction = ["--with-workers-in-production"];
  it.each([
    ["appliance", backup, []],
    ["worker-deployment", backup, []],
    ["worker", backup, ["--placement", "backup"]],
    ["repository", backup, ["--bucket", "vault"]],
    ["backup-ec2", production, []],
    ["backup-ec2", production, inProduction],
    ["restore-ec2", production, inProduction],
    ["backup-efs", production, []],
  ] as const)("holds after %s was created in %s with %j", async (id, account, more) => {
    const undo = file(`${id}-${account}-${more.length}.json`);
    const words = ["create", id, ...ours, ...more, "--yes", "--wait", "0", "--undo-file", undo];
    const done = await runRoles({ lab, account, region, folder }, ...words);
    expect(done.stdout).toContain(`garrison-${id}: The role holds`);
    expect(done.code).toBe(0);
  });
});

describe("a role whose rights don't fit into inline policies", () => {
  const regions = (count: number) => [
    "--regions",
    ...Array.from({ length: count }, (_, place) => `eu-central-${place + 1}`),
  ];
  const wide = (name: string, count: number, ...more: readonly string[]) =>
    create("worker", name, ...regions(count), "--yes", ...more);
  const attached = async (RoleName: string) => {
    const { AttachedPolicies = [] } = await iam().send(new ListAttachedRolePoliciesCommand({ RoleName }));
    return AttachedPolicies.map(({ PolicyName }) => PolicyName).sort();
  };

  it("gets managed ones that carry its name as a tag, and undo takes them away again", async () => {
    const undo = file("wide.json");
    const made = await wide("wide", 10, "--undo-file", undo);
    expect(made.stdout).toContain("wide: The role holds");
    expect(await attached("wide")).toEqual(["wide-1", "wide-2"]);
    const { Policy } = await iam().send(new GetPolicyCommand({ PolicyArn: policyArn("wide-1") }));
    expect(Policy?.Tags).toEqual([{ Key: "garrison:role", Value: "wide" }]);
    await run("undo", undo, "--yes");
    expect(await state("wide", "wide-1", "wide-2")).toEqual({
      roleArn: arnOf("wide"),
      profiles: [],
      managed: {},
    });
  });

  it("keeps a managed policy that another role has got meanwhile", async () => {
    const undo = file("lent.json");
    await wide("lent", 10, "--undo-file", undo);
    const attachment = { RoleName: "garrison-worker", PolicyArn: policyArn("lent-1") };
    await iam().send(new AttachRolePolicyCommand(attachment));
    const refused = await run("undo", undo, "--yes");
    expect(refused.stderr).toContain("the managed policy lent-1 changed since");
    const forced = await run("undo", undo, "--yes", "--force");
    expect(forced.code).toBe(0);
    const left = await state("lent", "lent-1", "lent-2");
    expect([left.held, Object.keys(left.managed)]).toEqual([undefined, ["lent-1"]]);
    await iam().send(new DetachRolePolicyCommand(attachment));
  });

  it("has them changed by a new version, and undo brings the former into force and deletes the new one", async () => {
    await wide("versions", 10, "--undo-file", file("versions.json"));
    const before = await state("versions");
    const undo = file("versions-2.json");
    const changed = await wide("versions", 11, "--undo-file", undo);
    expect(changed.stdout).toContain("change the managed policy: versions-1");
    expect((await state("versions")).managed["versions-1"]).toMatchObject({ versionId: "v2", versions: 2 });
    await run("undo", undo, "--yes");
    expect(await state("versions")).toEqual(before);
  });

  it("is taken off those that it no longer needs, which stay in the account", async () => {
    await wide("narrowed", 10, "--undo-file", file("narrowed.json"));
    const undo = file("narrowed-2.json");
    const done = await wide("narrowed", 1, "--undo-file", undo);
    expect(done.stdout).toContain("detach the managed policy: narrowed-2");
    expect(await attached("narrowed")).toEqual([]);
    await run("undo", undo, "--yes");
    expect(await attached("narrowed")).toEqual(["narrowed-1", "narrowed-2"]);
  });

  it("stops before a policy of that name that Garrison did not make", async () => {
    const PolicyDocument = allow("s3:*");
    await iam().send(new CreatePolicyCommand({ PolicyName: "foreign-1", PolicyDocument }));
    const stopped = await wide("foreign", 10);
    expect(stopped.stderr).toContain(
      `${policyArn("foreign-1")} is there already, and Garrison did not make it`,
    );
    expect(stopped.code).toBe(1);
    expect(await state("foreign")).not.toHaveProperty("held");
    await iam().send(new DeletePolicyCommand({ PolicyArn: policyArn("foreign-1") }));
  });

  it("stops before a policy with as many versions as IAM keeps, and deletes none", async () => {
    await wide("full", 10, "--undo-file", file("full.json"));
    const PolicyArn = policyArn("full-1");
    for (let more = 0; more < 4; more++)
      await iam().send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow("s3:GetObject") }));
    const stopped = await wide("full", 11);
    expect(stopped.stderr).toContain("has 5 versions, as many as IAM keeps: delete one that you don't need");
    const { Versions } = await iam().send(new ListPolicyVersionsCommand({ PolicyArn }));
    expect(Versions).toHaveLength(5);
  });
});

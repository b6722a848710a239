import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { arnOf, openApplianceLab, type ApplianceLab } from "./appliance-lab.ts";

const program = new URL("../../packages/cli/bin/garrison", import.meta.url).pathname;
let lab: ApplianceLab;
beforeAll(async () => {
  lab = await openApplianceLab();
}, 600_000);
afterAll(() => lab?.stop());

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function garrison(...args: readonly string[]): Promise<Outcome> {
  const { url, token } = lab.appliance;
  const env = { ...process.env, GARRISON_URL: url, GARRISON_TOKEN: token };
  try {
    return { code: 0, ...(await promisify(execFile)(program, [...args], { env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}

const json = (outcome: Outcome) => JSON.parse(outcome.stdout) as Record<string, unknown>;

describe("garrison", () => {
  let point: string;

  test("lists accounts, repositories and resources as tables", async () => {
    expect((await garrison("accounts", "list")).stdout).toContain("222222222222  production  eu-central-1");
    expect((await garrison("repositories", "list")).stdout).toContain("s3://garrison-test-repository/main");
    expect((await garrison("resources", "list", "--rescan")).stdout).toContain(arnOf(lab.instance));
  });

  test("backs up, tells what it does on standard error, and prints one object", async () => {
    const outcome = await garrison("backup", "run", "--resource", arnOf(lab.instance), "--wait", "--json");
    expect({ code: outcome.code, status: json(outcome)["status"] }).toEqual({ code: 0, status: "succeeded" });
    expect(outcome.stderr).toContain("launch the worker: launched a t3.medium");
    point = String(json(outcome)["point"]);
  });

  test("lists restore points and runs, and shows a run step by step", async () => {
    expect((await garrison("points", "list")).stdout).toContain(`${point}  `);
    const { items } = json(await garrison("runs", "list", "--json")) as { items: { id: string }[] };
    const shown = await garrison("runs", "show", items[0]!.id);
    expect(shown.stdout).toMatch(/^backup run-[0-9a-f]{16}: succeeded after/);
    expect(shown.stdout).toContain("remove older snapshots");
  });

  test("restores an instance under another name and says so", async () => {
    const outcome = await garrison("restore", "instance", point, "--name", "copy", "--wait");
    expect(outcome.stdout, outcome.stderr).toContain("instance-restore run-");
    expect(outcome.code).toBe(0);
    expect((await garrison("resources", "list", "--rescan")).stdout).toMatch(/^copy +running/m);
  });

  test("finds nothing to sweep", async () => {
    expect((await garrison("sweep", "--plan")).stdout).toBe("would remove: nothing\n");
    expect(json(await garrison("sweep", "--json"))).toMatchObject({ removed: [], failed: [], foreign: [] });
  });

  test.each([
    { what: "an unknown restore point", args: ["restore", "instance", "0000000000000000"], code: 2 },
    { what: "an unknown run", args: ["runs", "show", "run-0"], code: 2 },
    {
      what: "a resource that is not there",
      args: ["backup", "run", "--resource", "arn:aws:ec2:eu-central-1:222222222222:instance/i-0"],
      code: 2,
    },
    { what: "a missing option", args: ["backup", "run"], code: 2 },
  ])("refuses $what with exit code $code", async ({ args, code }) => {
    const outcome = await garrison(...args);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(outcome.stderr).not.toContain("    at ");
  });
});

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ProofRecord, ProvenAction } from "@garrison/roles/proof/proof-record";

const run = promisify(execFile);
const program = new URL("../../packages/cli/src/main.ts", import.meta.url).pathname;

let folder: string;
let record: ProofRecord;
let ended: { readonly stdout: string; readonly code: number };

/** A slice of `npm run prove`: a whole backup, and a few rights taken away whose absence ends it before a worker is launched. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-roles-proof-"));
  const out = join(folder, "proof.json");
  const actions = ["sts:AssumeRole", "ec2:CreateSnapshots", "ec2:CreateTags"];
  const what = ["ec2.image-backup", "--form", "scoped", "--scenario", "check-backup", "backup"];
  const how = ["--jobs", "1", "--patience", "120", "--out", out];
  ended = await run(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    program,
    "roles",
    "prove",
    ...what,
    "--action",
    ...actions,
    ...how,
  ]).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    ({ stdout, code }: { readonly stdout: string; readonly code: number }) => ({ stdout, code }),
  );
  record = JSON.parse(await readFile(out, "utf8")) as ProofRecord;
}, 600_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const found = (role: string, grant: string): ProvenAction | undefined =>
  record.actions.find((one) => one.role === role && one.grant === grant);

describe("a proof", () => {
  test("shows that the exported documents are enough for a whole backup", () => {
    expect(record.sufficient.map(({ scenario, isSufficient }) => [scenario, isSufficient])).toEqual([
      ["check-backup", true],
      ["backup", true],
    ]);
  });

  const runFails = { scenario: "backup", effect: "run-fails" };
  const checkFails = { scenario: "check-backup", effect: "check-fails" };
  test.each([
    { role: "appliance", grant: "assume-roles", felt: checkFails },
    { role: "backup-ec2", grant: "backup-snapshot-sources", felt: runFails },
    { role: "backup-ec2", grant: "backup-snapshots", felt: runFails },
    { role: "backup-ec2", grant: "backup-tag-snapshots", felt: runFails },
    { role: "backup-ec2", grant: "worker-tags", felt: runFails },
  ])("shows that $role needs $grant, and the failure names the action", ({ role, grant, felt }) => {
    expect(found(role, grant)).toMatchObject({ verdict: "necessary", namedBy: "run", ...felt });
  });

  test("shows that a right under a condition is denied for what does not meet it", () => {
    expect(found("backup-ec2", "backup-tag-snapshots")?.deniedElsewhere).toEqual([
      "another ec2:CreateAction",
      "no ec2:CreateAction",
      "another Region",
    ]);
    expect(found("backup-ec2", "backup-snapshots")?.deniedElsewhere).toContain(
      "another aws:RequestTag/garrison:installation",
    );
  });

  test("tells apart what none of its scenarios asked for, and does not count as proven then", () => {
    expect(found("worker-deployment", "worker-tags")).toMatchObject({ verdict: "not-asked" });
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain("not-asked");
  });
});

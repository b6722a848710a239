import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { Command } from "commander";
import { expect, test } from "vitest";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { CliContext } from "../cli-context.ts";
import { register } from "./iam.ts";

const request = {
  action: "s3:GetObject",
  resource: { resource: "arn:aws:s3:::b/k", accountId: "111111111111" },
  principal: "arn:aws:iam::111111111111:user/ann",
  context: {},
};
const policy = {
  Version: "2012-10-17",
  Statement: { Sid: "Read", Effect: "Allow", Action: "s3:Get*", Resource: "*" },
};
const allowed = { name: "allowed", request, identityPolicies: [{ name: "P", policy }] };
const denied = { name: "denied", request, identityPolicies: [], permissionBoundaries: [] };

/** Runs the command on `input` as standard input, and returns what it printed. */
async function run(args: readonly string[], input = ""): Promise<string> {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  stdin.end(input);
  const context = {
    stdin,
    stdout,
    signal: new AbortController().signal,
    setExitCode: () => undefined,
  } as unknown as CliContext;
  const program = new Command().exitOverride();
  register(program, context);
  await program.parseAsync(["iam", "evaluate", ...args], { from: "user" });
  return (stdout.read() as Buffer).toString();
}

test("one case prints one object of the documented shape", async () => {
  expect(JSON.parse(await run(["-", "--json"], JSON.stringify(allowed)))).toEqual({
    name: "allowed",
    decision: "Allowed",
    blockedBy: [],
    matched: [{ layer: "identity", policy: "P", sid: "Read", index: 0, effect: "Allow" }],
    missingContext: [],
  });
});

test("an array of cases prints an array in the same order", async () => {
  const answers = JSON.parse(await run(["-", "--json"], JSON.stringify([denied, allowed]))) as {
    decision: string;
  }[];
  expect(answers.map((each) => each.decision)).toEqual(["ImplicitlyDenied", "Allowed"]);
});

test("a file is read, and people get a table and the reason of each denial", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "garrison-iam-")), "cases.json");
  await writeFile(file, JSON.stringify([allowed, denied]));
  const printed = await run([file]);
  expect(printed).toContain("allowed  Allowed");
  expect(printed).toContain("identity, boundary");
  expect(printed).toContain(
    "denied: arn:aws:iam::111111111111:user/ann may not s3:GetObject on arn:aws:s3:::b/k",
  );
  expect(printed).toContain(
    "would mend it: add to a new permissions boundary in account 111111111111: " +
      '{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/k"}',
  );
});

test("with --explain the answer also holds what was weighed, as a tree", async () => {
  const answer = JSON.parse(await run(["-", "--json", "--explain"], JSON.stringify(denied))) as {
    explanation: { sentence: string; layers: { layer: string; isBlocking: boolean }[]; patches: object[] };
  };
  expect(answer.explanation.layers.map(({ isBlocking, layer }) => [layer, isBlocking])).toEqual([
    ["identity", true],
    ["boundary", true],
  ]);
  expect(answer.explanation.patches).toHaveLength(2);
});

test("malformed input is a named error", async () => {
  const failures: readonly (readonly [readonly string[], string, string])[] = [
    [["-"], "{", "iam-case-invalid"],
    [["-"], JSON.stringify({ ...allowed, scps: [] }), "iam-case-invalid"],
    [["-"], JSON.stringify({ ...allowed, sessionPolicy: {} }), "iam-policy-invalid"],
    [["/nowhere/cases.json"], "", "usage"],
  ];
  for (const [args, input, code] of failures) {
    await expect(run(args, input)).rejects.toSatisfy(
      (error) => isGarrisonError(error) && error.code === code,
    );
  }
});

test("a malformed case of an array is answered in its place and spoils no other", async () => {
  const broken = { ...allowed, name: "broken", request: { ...request, action: "Get" } };
  const answers = JSON.parse(await run(["-", "--json"], JSON.stringify([allowed, broken, null, denied]))) as {
    decision?: string;
    error?: { code: string };
  }[];
  expect(answers.map((each) => each.decision ?? each.error?.code)).toEqual([
    "Allowed",
    "iam-case-invalid",
    "iam-case-invalid",
    "ImplicitlyDenied",
  ]);
  expect(answers[1]).toMatchObject({ name: "broken" });
});

test("a key that is not in the context is absent, unless filling in is asked for", async () => {
  const Condition = { StringEquals: { "aws:PrincipalAccount": "111111111111" } };
  const own = { Version: "2012-10-17", Statement: { ...policy.Statement, Condition } };
  const input = JSON.stringify({ request, identityPolicies: [{ policy: own }] });
  expect(JSON.parse(await run(["-", "--json"], input))).toMatchObject({
    decision: "ImplicitlyDenied",
    missingContext: ["aws:PrincipalAccount"],
  });
  expect(JSON.parse(await run(["-", "--json", "--fill-context"], input))).toMatchObject({
    decision: "Allowed",
  });
});

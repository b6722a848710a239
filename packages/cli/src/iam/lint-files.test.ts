import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { Command } from "commander";
import { expect, test } from "vitest";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { exportRole } from "@garrison/roles/export-role";
import type { CliContext } from "../cli-context.ts";
import { register } from "../commands/iam.ts";

const sound = {
  Version: "2012-10-17",
  Statement: { Sid: "Send", Effect: "Allow", Action: "sqs:SendMessage", Resource: "*" },
};
const broken = { ...sound, Statement: { ...sound.Statement, Action: "sqs:SendMesage" } };
const wide = { ...sound, Statement: { ...sound.Statement, Action: "*" } };

async function run(
  args: readonly string[],
  input: unknown = "",
): Promise<{ text: string; exitCode: number }> {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  stdin.end(typeof input === "string" ? input : JSON.stringify(input));
  let exitCode = 0;
  const context = {
    stdin,
    stdout,
    signal: new AbortController().signal,
    setExitCode: (code: number) => (exitCode = code),
  } as unknown as CliContext;
  const program = new Command().exitOverride();
  register(program, context);
  await program.parseAsync(["iam", "lint", ...args], { from: "user" });
  return { text: (stdout.read() as Buffer).toString(), exitCode };
}

async function writeFiles(documents: readonly unknown[]): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "garrison-lint-"));
  const files = documents.map((_, place) => join(folder, `${place}.json`));
  for (const [place, file] of files.entries()) await writeFile(file, JSON.stringify(documents[place]));
  return files;
}

test("a sound policy has nothing to say, and exits with 0", async () => {
  expect(await run(["-"], sound)).toEqual({
    text: "standard input: a managed policy, nothing to say\n",
    exitCode: 0,
  });
});

test("an error is a line with its place and what was meant, and exits with 1", async () => {
  expect(await run(["-"], broken)).toEqual({
    text: "standard input: a managed policy\n  error  unknown-action  Statement[0].Action (Send)  sqs:SendMesage is not an action of AWS; did you mean sqs:SendMessage?\n",
    exitCode: 1,
  });
});

test("a warning exits with 0, unless warnings are to fail", async () => {
  expect((await run(["-"], wide)).exitCode).toBe(0);
  expect((await run(["-", "--strict"], wide)).exitCode).toBe(1);
});

test("programs get one object with the counts and each document's findings", async () => {
  const [first, second] = await writeFiles([broken, sound]);
  const { text } = await run([first as string, second as string, "--json"]);
  expect(JSON.parse(text)).toEqual({
    errors: 1,
    warnings: 0,
    documents: [
      {
        file: first,
        kind: "managed",
        findings: [
          {
            code: "unknown-action",
            severity: "error",
            where: "Statement[0].Action",
            sid: "Send",
            message: "sqs:SendMesage is not an action of AWS",
            suggestion: "sqs:SendMessage",
          },
        ],
      },
      { file: second, kind: "managed", findings: [] },
    ],
    together: [],
  });
});

test("what `roles export` prints is taken document by document, each as what it is", async () => {
  const documents = exportRole("worker", { accounts: { backup: "111111111111" }, externalId: "x" });
  const { text, exitCode } = await run(["-", "--json"], { roles: [documents] });
  const { documents: linted } = JSON.parse(text) as { documents: { policy: string; kind: string }[] };
  expect(linted.map(({ policy, kind }) => `${policy} ${kind}`)).toEqual([
    "garrison-worker/trust trust",
    "garrison-worker/garrison-worker inline",
  ]);
  expect(exitCode).toBe(0);
});

test("a role's inline policies count together", async () => {
  const half = { ...sound, Id: "x".repeat(6_000) };
  const { text, exitCode } = await run([...(await writeFiles([half, half])), "--kind", "inline"]);
  expect(text).toContain("a role's inline policies together may have 10,240");
  expect(exitCode).toBe(1);
  expect((await run(["-", "--kind", "inline"], half)).exitCode).toBe(0);
});

test("what can't be read is a named error", async () => {
  const failures: readonly (readonly [readonly string[], string, string])[] = [
    [["-"], "{", "iam-policy-invalid"],
    [["/nowhere/policy.json"], "", "usage"],
    [["-", "--kind", "shelf"], "{}", "usage"],
  ];
  for (const [args, input, code] of failures) {
    await expect(run(args, input)).rejects.toSatisfy(
      (error) => isGarrisonError(error) && error.code === code,
    );
  }
});

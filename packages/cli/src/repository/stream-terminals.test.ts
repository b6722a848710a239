import { systemClock } from "@garrison/core/clock";
import { silentLogger } from "@garrison/core/logger";
import { seededRandom } from "@garrison/core/random";
import { expect, test } from "vitest";
import type { CliContext } from "../cli-context.ts";
import { backupStreamInput } from "./backup-stream.ts";
import { restoreStreamPoint } from "./restore-stream.ts";

/** A person at a terminal, with a repository that is never reached. */
const context: CliContext = {
  clock: systemClock,
  random: seededRandom(1),
  logger: silentLogger,
  signal: new AbortController().signal,
  environment: {},
  stdout: Object.create(process.stdout, { isTTY: { value: true } }) as NodeJS.WriteStream,
  stderr: process.stderr,
  stdin: Object.create(process.stdin, { isTTY: { value: true } }) as NodeJS.ReadStream,
  setExitCode: () => undefined,
};
const flags = { repository: "file:///nowhere", domain: "local" };

test("a terminal is refused as a stream's source, before a password is asked for on it", async () => {
  await expect(backupStreamInput([], { ...flags, name: "db" }, context)).rejects.toMatchObject({
    code: "terminal-refused",
  });
});

test("a terminal is refused as a stream's target", async () => {
  await expect(restoreStreamPoint("db", flags, context)).rejects.toMatchObject({ code: "terminal-refused" });
});

test.each([
  ["--offset", { offset: "1k" }],
  ["--length", { length: "-1" }],
])("%s takes a number of bytes", async (option, part) => {
  const target = { target: "/nowhere/file" };
  await expect(restoreStreamPoint("db", { ...flags, ...target, ...part }, context)).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining(option),
  });
});

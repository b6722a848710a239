import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { CliContext } from "../cli-context.ts";
import { confirmChanges } from "./confirm-changes.ts";

/** A person at a terminal, or a program that is none. */
function ask(typed: string | undefined, isTTY = true, signal = new AbortController().signal) {
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const stdout = new PassThrough();
  if (typed === undefined) stdin.end();
  else stdin.write(typed);
  const context = { stdin, stdout, signal } as unknown as CliContext;
  const said = confirmChanges(context, "Write these 3 changes?", 3);
  return { said, shown: () => (stdout.read() as Buffer | null)?.toString() ?? "" };
}

describe("the question before changes are written", () => {
  it.each([
    ["yes\n", true],
    ["  YES \n", true],
    ["y\n", false],
    ["no\n", false],
    ["\n", false],
  ])("takes %j for %s", async (typed, isAgreed) => {
    const { said, shown } = ask(typed);
    expect(await said).toBe(isAgreed);
    expect(shown()).toContain("Write these 3 changes? (yes/no) ");
  });

  it("takes an input that ends for no", async () => {
    expect(await ask(undefined).said).toBe(false);
  });

  it("is not asked where there is no terminal: --yes is asked for by name", async () => {
    const { said, shown } = ask("yes\n", false);
    await expect(said).rejects.toMatchObject({
      code: "usage",
      message: "3 changes need a yes: run on a terminal or give --yes",
    });
    expect(shown()).toBe("");
  });

  it("ends when the program is stopped", async () => {
    const stopping = new AbortController();
    const { said } = ask("", true, stopping.signal);
    stopping.abort();
    await expect(said).rejects.toMatchObject({ name: "AbortError" });
  });
});

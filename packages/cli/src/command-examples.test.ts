import { Command } from "commander";
import { systemClock } from "@garrison/core/clock";
import { silentLogger } from "@garrison/core/logger";
import { seededRandom } from "@garrison/core/random";
import { describe, expect, it } from "vitest";
import type { CliContext } from "./cli-context.ts";
import { commandExamples } from "./command-examples.ts";
import { commandTable } from "./command-table.ts";

const context: CliContext = {
  clock: systemClock,
  random: seededRandom(1),
  logger: silentLogger,
  signal: new AbortController().signal,
  environment: {},
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  setExitCode: () => undefined,
};

async function allCommands(): Promise<readonly (readonly [string, Command])[]> {
  const program = new Command();
  for (const entry of commandTable) (await entry.load()).register(program, context);
  return program.commands.flatMap((noun) =>
    noun.commands.length === 0
      ? [[noun.name(), noun] as const]
      : noun.commands.map((verb) => [`${noun.name()} ${verb.name()}`, verb] as const),
  );
}

describe("the examples in --help", () => {
  it("are there for every command, and for no other", async () => {
    const names = (await allCommands()).map(([name]) => name);
    expect(Object.keys(commandExamples).toSorted()).toEqual(names.toSorted());
  });

  it("name only options that the command takes", async () => {
    for (const [name, command] of await allCommands()) {
      const known = command.options.map((option) => option.long);
      // What stands behind ` -- ` is another program's.
      const own = commandExamples[name]!.map((line) => line.split(" -- ")[0]);
      const used = own.join(" ").match(/--[a-z-]+/g) ?? [];
      for (const option of used) expect(known, `${name} ${option}`).toContain(option);
    }
  });
});

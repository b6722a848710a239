import { createInterface } from "node:readline/promises";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { CliContext } from "../cli-context.ts";

/** Asks for a written yes; without a terminal nobody can give it, and `--yes` is asked for instead. */
export async function confirmChanges(context: CliContext, question: string, count: number): Promise<boolean> {
  if (context.stdin.isTTY !== true) {
    throw new GarrisonError("usage", `${count} changes need a yes: run on a terminal or give --yes`);
  }
  const lines = createInterface({ input: context.stdin, output: context.stdout });
  try {
    const answer = await lines.question(`${question} (yes/no) `, { signal: context.signal });
    return answer.trim().toLowerCase() === "yes";
  } finally {
    lines.close();
  }
}

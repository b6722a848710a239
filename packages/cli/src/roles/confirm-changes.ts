import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { CliContext } from "../cli-context.ts";

/**
 * Asks for a written yes; anything else, and an input that ends, is a no. Without a terminal nobody can give it, and `--yes`
 * is asked for instead.
 */
export async function confirmChanges(context: CliContext, question: string, count: number): Promise<boolean> {
  if (context.stdin.isTTY !== true) {
    throw new GarrisonError("usage", `${count} changes need a yes: run on a terminal or give --yes`);
  }
  const lines = createInterface({ input: context.stdin, output: context.stdout });
  // A question that is never answered would be waited for without end.
  const ended = once(lines, "close").then(() => undefined);
  try {
    const asked = lines.question(`${question} (yes/no) `, { signal: context.signal });
    const answer = await Promise.race([asked, ended]);
    if (answer === undefined) context.stdout.write("\n");
    return answer?.trim().toLowerCase() === "yes";
  } finally {
    lines.close();
  }
}

import type { CommanderError } from "commander";
import { GarrisonError } from "@garrison/core/garrison-error";

/** What the parser of the command line refused, as an error of ours: with a code, and in one line. */
export function usageErrorOf(error: Pick<CommanderError, "message">): GarrisonError {
  const [first = "", ...more] = error.message.replace(/^error: /, "").split("\n");
  const hint = more.map((line) => line.trim()).filter((line) => line !== "");
  const sentence = [first.replace(/\.$/, ""), ...hint].join(" ");
  return new GarrisonError("usage", `${sentence}; --help says what it takes`);
}

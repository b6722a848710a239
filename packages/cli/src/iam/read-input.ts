import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { CliContext } from "../cli-context.ts";

/** The text of a file, or of standard input for `-`. */
export async function readInput(file: string, context: CliContext): Promise<string> {
  if (file === "-") return text(context.stdin);
  try {
    return await readFile(file, { encoding: "utf8", signal: context.signal });
  } catch (error) {
    throw new GarrisonError("usage", `can't read the file ${file}`, { cause: error });
  }
}

export function parseJson(
  source: string,
  { file, code }: { readonly file: string; readonly code: "iam-case-invalid" | "iam-policy-invalid" },
): unknown {
  try {
    return JSON.parse(source);
  } catch (error) {
    throw new GarrisonError(code, `${file === "-" ? "standard input" : file} is not JSON`, { cause: error });
  }
}

import { parseArgs } from "node:util";
import { GarrisonError } from "@garrison/core/garrison-error";

export interface LabConfig {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly seed: "demo" | "none";
  readonly region: string;
  readonly iamDelayMs: number;
  /** Whether to stop when standard input closes: the program that started this one is gone. */
  readonly untilStdinEnds: boolean;
}

/** Reads the program's arguments; throws with a sentence for wrong ones. */
export function readConfig(argv: readonly string[]): LabConfig {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      port: { type: "string", default: "4566" },
      host: { type: "string", default: "127.0.0.1" },
      data: { type: "string", default: ".garrison/lab" },
      seed: { type: "string", default: "demo" },
      region: { type: "string", default: "eu-central-1" },
      "iam-delay-ms": { type: "string", default: "0" },
      "until-stdin-ends": { type: "boolean", default: false },
    },
  });
  const { seed } = values;
  if (seed !== "demo" && seed !== "none")
    throw new GarrisonError("usage", `--seed is demo or none, not ${seed}`);
  return {
    port: wholeNumber("--port", values.port),
    host: values.host,
    dataDir: values.data,
    seed,
    region: values.region,
    iamDelayMs: wholeNumber("--iam-delay-ms", values["iam-delay-ms"]),
    untilStdinEnds: values["until-stdin-ends"],
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new GarrisonError("usage", `${name} takes a whole number, not ${text}`);
  return Number(text);
}

import type { EvaluationRequest } from "@garrison/iam/evaluation-case";
import { GarrisonError } from "@garrison/core/garrison-error";

/** What only a local AWS can be asked: its answers are not AWS's. */
export interface LabDoor {
  read(path: string, signal: AbortSignal): Promise<unknown>;
  write(
    what: { readonly method: "POST" | "PUT" | "DELETE"; readonly path: string; readonly body?: object },
    signal: AbortSignal,
  ): Promise<unknown>;
}

/** As the lab's `/_lab/rights/used` answers. */
export interface LabUsedRight {
  readonly roleArn: string;
  readonly action: string;
  readonly isAllowed: boolean;
  readonly statement?: string;
  readonly count: number;
  readonly aloneCount: number;
  readonly request: EvaluationRequest;
}

export interface LabWithheldRight {
  readonly roleArn: string;
  readonly action: string;
  readonly statement?: string;
}

export function openLabDoor(endpoint: string): LabDoor {
  const ask = async (path: string, init: RequestInit): Promise<unknown> => {
    const response = await fetch(`${endpoint}/_lab/${path}`, init);
    if (response.ok) return response.json();
    throw new GarrisonError(
      "program-failed",
      `the lab answered ${response.status} for ${path}: ${await response.text()}`,
    );
  };
  return {
    read: (path, signal) => ask(path, { signal }),
    write: ({ method, path, body }, signal) =>
      ask(path, { method, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
  };
}

export async function readUsedRights(lab: LabDoor, signal: AbortSignal): Promise<readonly LabUsedRight[]> {
  const { rights } = (await lab.read("rights/used", signal)) as { readonly rights: readonly LabUsedRight[] };
  return rights;
}

/** From here on these rights are not there when it comes to it, and what is used is counted anew. */
export async function withholdRights(
  lab: LabDoor,
  rights: readonly LabWithheldRight[],
  signal: AbortSignal,
): Promise<void> {
  await lab.write({ method: "PUT", path: "rights/withheld", body: { rights } }, signal);
  await lab.write({ method: "DELETE", path: "rights/used" }, signal);
}

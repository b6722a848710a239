import { listRefusals, type ScenarioOutcome } from "./judge-trial.ts";

/** Why a whole run was not what it should be: how it ended and where, which calls were refused, and then what it said. */
export function explainInsufficient(
  expected: ScenarioOutcome["status"],
  outcome: ScenarioOutcome,
): string | undefined {
  const { failedAt, leftBehind = [], said, shortOf = [], status } = outcome;
  const isLeft = said.includes("is left to the sweeper");
  const wrong = [
    ...(status === expected ? [] : [failedAt === undefined ? `it ${status}` : `it failed: ${failedAt}`]),
    ...leftBehind.map((what) => `left behind: ${what}`),
    ...shortOf.map((what) => `it did not ${what}`),
    ...(isLeft ? ["it left something to the sweeper"] : []),
  ];
  return wrong.length === 0 ? undefined : [...wrong, ...listRefusals(outcome), said].join("\n");
}

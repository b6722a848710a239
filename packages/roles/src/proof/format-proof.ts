import type { ProofRecord, ProofVerdict, ProvenAction } from "./proof-record.ts";

const verdicts: readonly ProofVerdict[] = [
  "necessary",
  "by-contract",
  "not-asked",
  "superfluous",
  "undecided",
];

/** For a terminal: what was enough, what each missing right did, and the sums. */
export function formatProof({ sufficient, actions }: ProofRecord): string {
  const runs = sufficient.map(
    ({ form, scenario, isSufficient, reason }) =>
      `${isSufficient ? "enough    " : "NOT ENOUGH"}  ${form.padEnd(10)}  ${scenario}${reason === undefined ? "" : `\n${indent(reason)}`}`,
  );
  const counts = verdicts.map((verdict) => [
    verdict,
    actions.filter((one) => one.verdict === verdict).length,
  ]);
  const sums = counts.filter(([, count]) => count !== 0).map(([verdict, count]) => `${count} ${verdict}`);
  const narrow = actions.reduce((sum, { deniedElsewhere = [] }) => sum + deniedElsewhere.length, 0);
  return [
    ...runs,
    "",
    ...actions.map(actionLine),
    "",
    `${sums.join(", ")}; ${narrow} foreign requests denied`,
    "",
  ].join("\n");
}

function actionLine(action: ProvenAction): string {
  const { role, grant, verdict, effect, reason, namedBy, sharedWith = [], allowedElsewhere = [] } = action;
  const felt =
    effect === undefined ? "" : `${effect}, named by the ${namedBy === "run" ? "run" : "call log"}`;
  const notes = [
    felt,
    ...(sharedWith.length === 0 ? [] : [`given by ${sharedWith.join(", ")} too`]),
    ...(allowedElsewhere.length === 0 ? [] : [`TOO WIDE: ${allowedElsewhere.join(", ")}`]),
  ].filter((note) => note !== "");
  const account = reason === undefined ? "" : `\n${indent(reason)}`;
  return `${verdict.padEnd(20)}  ${`${role} ${grant}`.padEnd(46)}  ${action.action}${notes.length === 0 ? "" : `  (${notes.join("; ")})`}${account}`;
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}

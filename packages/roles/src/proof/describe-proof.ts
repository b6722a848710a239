import type { Grant } from "../grant.ts";
import { roleCatalogue } from "../role-catalogue.ts";
import { builtOperations } from "../role-operations.ts";
import { acceptedFinding } from "./accepted-findings.ts";
import type { ProofRecord, ProvenAction } from "./proof-record.ts";

const effects = {
  "run-fails": "the run fails",
  "check-fails": "the role check fails",
  "left-behind": "something is left behind",
  said: "the run says so",
} as const;

/** What the page says of one grant: each action in each role that holds it, and what its requests were denied for. */
export function describeProof(record: ProofRecord, grant: Grant): string {
  const roles = roleCatalogue.filter((role) =>
    builtOperations(role).some(({ grants }) => grants.includes(grant)),
  );
  const ids = new Set<string>(roles.map(({ id }) => id));
  const own = record.actions.filter((one) => ids.has(one.role) && one.grant === grant.id);
  if (own.length === 0) return "planned: no role of this release holds it";
  const byText = Map.groupBy(own, (one) => actionText(one, record.scenarios));
  const lines = [...byText].map(([text, actions]) => {
    const names = [...new Set(actions.map(({ action }) => action.split(":")[1]))];
    const holders = [...new Set(actions.map(({ role }) => role))];
    const who = ids.size === 1 || holders.length === ids.size ? "" : ` of ${holders.map(code).join(", ")}`;
    return byText.size === 1 ? text : `${names.map(code).join(", ")}${who}: ${text}`;
  });
  const elsewhere = [...new Set(own.flatMap(({ deniedElsewhere = [] }) => deniedElsewhere))];
  const denied = elsewhere.length === 0 ? [] : [`_denied:_ ${elsewhere.map(codeOfKey).join("; ")}`];
  const wide = own.filter(({ allowedElsewhere }) => allowedElsewhere !== undefined);
  const reasons = wide.map((one) => {
    const labels = (one.allowedElsewhere ?? []).map(codeOfKey).join("; ");
    return `_allowed in_ ${code(one.role)}_:_ ${labels}: ${acceptedFinding(one, "too-wide")?.reason ?? "**too wide**"}`;
  });
  return [...lines, ...denied, ...new Set(reasons)].join("<br>");
}

function code(name: string | undefined): string {
  return `\`${name}\``;
}

function actionText(action: ProvenAction, scenarios: ProofRecord["scenarios"]): string {
  const { verdict, effect, namedBy, scenario = "", sharedWith = [] } = action;
  if (verdict === "by-contract") return "by contract";
  if (verdict === "circumstance-not-run") return "not proven: no run in the lab asked for it";
  const accepted = acceptedFinding(action, "not-felt");
  if (verdict === "superfluous" && accepted !== undefined) return `not felt in one run: ${accepted.reason}`;
  if (verdict !== "necessary" || effect === undefined) return `not proven (${verdict.replaceAll("-", " ")})`;
  const shared =
    sharedWith.length === 0
      ? ""
      : `, where ${sharedWith.map((sid) => `\`${sid}\``).join(", ")} does not give it too`;
  const unnamed = namedBy === "run" ? "" : ", and only the call log names the action";
  return `without it ${effects[effect]} (${scenarios[scenario] ?? scenario})${shared}${unnamed}`;
}

/** `another aws:ResourceTag/x` -> the key as code. */
function codeOfKey(label: string): string {
  return label.replace(/\w+:\S+/, (key) => `\`${key}\``);
}

/** The scenarios of the proof, and whether the rights were enough in each form. */
export function sufficiencyTable({ scenarios, sufficient }: ProofRecord): string {
  const verdictOf = (scenario: string, form: string): string => {
    const run = sufficient.find((one) => one.scenario === scenario && one.form === form);
    if (run === undefined) return "not run";
    return run.isSufficient ? "enough" : "**not enough**";
  };
  return [
    "| what was run | scoped | compatible |",
    "| --- | --- | --- |",
    ...Object.entries(scenarios).map(
      ([id, title]) => `| ${title} | ${verdictOf(id, "scoped")} | ${verdictOf(id, "compatible")} |`,
    ),
  ].join("\n");
}

import type { Grant } from "../grant.ts";
import { roleCatalogue } from "../role-catalogue.ts";
import { builtOperations } from "../role-operations.ts";
import { acceptedWidth } from "./accepted-width.ts";
import type { ProofRecord, ProvenAction } from "./proof-record.ts";

/**
 * What the page says of one grant: what the absence of each action did, in which runs, and what its requests were denied for.
 */
export function describeProof({ actions }: ProofRecord, grant: Grant): string {
  const roles = roleCatalogue.filter((role) =>
    builtOperations(role).some(({ grants }) => grants.includes(grant)),
  );
  const ids = new Set<string>(roles.map(({ id }) => id));
  const own = actions.filter((one) => ids.has(one.role) && one.grant === grant.id);
  const byEffect = Map.groupBy(own, (one) => effectText(grant, one));
  const lines = [...byEffect].map(([effect, alike]) => {
    const names = distinct(alike.map(({ action }) => code(action.split(":")[1])));
    const scenarios = distinct(alike.flatMap(({ scenario }) => scenario ?? []).map(code));
    const where = scenarios.length === 0 ? "" : ` (${scenarios.join(", ")})`;
    return `${byEffect.size === 1 ? "" : `${names.join(", ")}: `}${effect}${where}`;
  });
  const elsewhere = distinct(own.flatMap(({ deniedElsewhere = [] }) => deniedElsewhere));
  const denied = elsewhere.length === 0 ? [] : [`_refused:_ ${elsewhere.map(codeOfKey).join("; ")}`];
  return [...lines, ...sharedText(own), ...denied, ...widthTexts(own)].join("<br>");
}

function effectText({ contract }: Grant, action: ProvenAction): string {
  const { effect, namedBy, shortOf = [], verdict } = action;
  if (verdict === "by-contract") return `_by contract_: [AWS](${contract?.source ?? ""})`;
  if (verdict !== "necessary" || effect === undefined)
    return `**not proven** (${verdict.replaceAll("-", " ")})`;
  const mark = namedBy === "run" ? "" : " †";
  return `${effect === "falls-short" ? `the run does not ${shortOf.join(", nor ")}` : effects[effect]}${mark}`;
}

const effects = {
  "run-fails": "the run fails",
  "check-fails": "the role check fails",
  "left-behind": "something is left behind",
  said: "the run goes on and warns",
} as const;

/** Where a role holds the same right by another statement too, it was taken out of both. */
function sharedText(own: readonly ProvenAction[]): readonly string[] {
  const shared = own.filter(({ sharedWith }) => sharedWith !== undefined);
  const byRole = Map.groupBy(shared, ({ role }) => role);
  return [...byRole].map(([role, actions]) => {
    const statements = distinct(actions.flatMap(({ sharedWith = [] }) => sharedWith)).map(code);
    return `_in_ ${code(role)} _taken out of_ ${statements.join(", ")} _too_`;
  });
}

function widthTexts(own: readonly ProvenAction[]): readonly string[] {
  const wide = own.filter(({ allowedElsewhere }) => allowedElsewhere !== undefined);
  return distinct(
    wide.map((one) => {
      const labels = (one.allowedElsewhere ?? []).map(codeOfKey).join("; ");
      return `_allowed in_ ${code(one.role)}_:_ ${labels}: ${acceptedWidth(one)?.reason ?? "**too wide**"}`;
    }),
  );
}

function distinct<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Set(values)];
}

function code(name: string | undefined): string {
  return `\`${name}\``;
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
    "| run | what it is | scoped | compatible |",
    "| --- | --- | --- | --- |",
    ...Object.entries(scenarios).map(
      ([id, title]) =>
        `| ${code(id)} | ${title} | ${verdictOf(id, "scoped")} | ${verdictOf(id, "compatible")} |`,
    ),
  ].join("\n");
}

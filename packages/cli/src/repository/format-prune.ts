import { formatSize } from "@garrison/core/units";
import type { PlannedPacks, PrunePlan, PruneSummary } from "@garrison/repository/prune/prune-plan";
import { formatTable, sum } from "./format-points.ts";

const reasons: Readonly<Record<PlannedPacks["why"], string>> = {
  unreferenced: "no restore point refers to them",
  dead: "of sessions that can't commit any more",
  moved: "what was needed of them is elsewhere",
  fenced: "of sessions that are fenced now, if they don't commit before",
};

const keeps: Readonly<Record<PrunePlan["kept"][number]["why"], string>> = {
  referenced: "restore points refer to them",
  open: "their sessions may still commit",
  new: "written since the pass began",
  held: "locks hold them",
  unsettled: "until the findings below are settled",
  repair: "lost blocks of others are found in them",
};

/** What a pass is going to do, and why, one thing a line. */
export function formatPrunePlan(domain: string, plan: PrunePlan): string {
  const rows = [
    ...plan.fences.map((fence) => ["fence", `session ${fence.session}`, fenceReason(fence)]),
    ...plan.vanished.map((point) => [
      "end",
      `restore point ${point.session}`,
      "it vanished, and that is accepted",
    ]),
    ...countRow("delete", plan.records.length, ["record", "their restore points have ended"]),
    ...packRows(plan),
    ...countRow("delete", plan.forwards.length, ["forward", "they lead from or to nothing that is needed"]),
    ...moveRow(plan),
    ...countRow("tidy", plan.sessions.length, ["session", "they have ended"]),
    ...plan.kept.map(({ why, packs, sizeBytes }) => ["keep", packsOf(packs, sizeBytes), keeps[why]]),
    ...plan.held.map((held) => [
      "hold",
      packsOf(held.packs, held.sizeBytes),
      `session ${held.session} is held until ${dateOf(held.untilMs)}`,
    ]),
  ];
  const head = `${domain}: ${plural(plan.roots.length, "restore point")} to keep\n`;
  const findings = plan.findings.map(
    (finding) => `${finding.severity} ${finding.code}: ${finding.key}: ${finding.message}\n`,
  );
  return head + (rows.length === 0 ? "there is nothing to do\n" : formatTable(rows)) + findings.join("");
}

function fenceReason(fence: PrunePlan["fences"][number]): string {
  if (fence.why === "disowned") return "whoever started it says that it is dead";
  if (fence.why === "orphaned") return "it was begun on a restore point that has vanished";
  return `no sign of life since ${dateOf(fence.lastSignMs)}`;
}

function packRows(plan: PrunePlan): string[][] {
  const whys = [...new Set(plan.packs.map((packs) => packs.why))];
  return whys.map((why) => {
    const some = plan.packs.filter((packs) => packs.why === why);
    const [count, bytes] = [
      sum(some.map((each) => each.numbers.length)),
      sum(some.map((each) => each.sizeBytes)),
    ];
    return ["delete", packsOf(count, bytes), reasons[why]];
  });
}

function moveRow({ moves }: PrunePlan): string[][] {
  if (moves.candidates.length === 0) return [];
  const size = sum(moves.candidates.map((candidate) => candidate.sizeBytes));
  const later = moves.later === 0 ? "" : `; ${moves.later} more wait for the next pass`;
  const reason = `little of them is needed: moving it frees about ${formatSize(moves.gainBytes)}${later}`;
  return [["move", packsOf(moves.candidates.length, size), reason]];
}

function countRow(verb: string, count: number, [what, why]: readonly [string, string]): string[][] {
  return count === 0 ? [] : [[verb, plural(count, what), why]];
}

/** What a pass has done. */
export function formatPruneSummary(summary: PruneSummary): string {
  const { fenced, notFenced, recordsDeleted, packsDeleted, bytesDeleted, packsMoved, bytesMoved } = summary;
  const lines = [
    `Deleted ${packsOf(packsDeleted, bytesDeleted)}, ${plural(recordsDeleted, "record")}` +
      ` and ${plural(summary.forwardsDeleted, "forward")}; tidied ${plural(summary.sessionsTidied, "session")}.`,
    ...(packsMoved === 0
      ? []
      : [`Moved what was left of ${plural(packsMoved, "pack")}: ${formatSize(bytesMoved)}.`]),
    ...(fenced.length === 0 ? [] : [`Fenced ${plural(fenced.length, "session")}.`]),
    ...(notFenced.length === 0 ? [] : [`${plural(notFenced.length, "session")} had ended before the fence.`]),
    ...(summary.refused.length === 0
      ? []
      : [`${plural(summary.refused.length, "object")} are locked and stay for a later pass.`]),
    ...summary.findings.map(
      (finding) => `${finding.severity} ${finding.code}: ${finding.key}: ${finding.message}`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function packsOf(count: number, sizeBytes: number): string {
  return `${plural(count, "pack")}, ${formatSize(sizeBytes)}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function dateOf(timeMs: number): string {
  return new Date(timeMs).toISOString().replace("T", " ").slice(0, 19);
}

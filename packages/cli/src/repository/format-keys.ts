import type { ChangedSecret, RemovedWrap } from "@garrison/repository/keys/add-wrap";
import type { WrapSummary } from "@garrison/repository/keys/list-wraps";
import type { RotationPlan } from "@garrison/repository/keys/plan-rotation";
import type { RotationSummary } from "@garrison/repository/keys/rotate-keys";
import { formatTable } from "./format-points.ts";

/** Said with every change of keys, in the help and in docs/operations.md. */
export const revokesNothing =
  "Nothing is taken back from someone who has kept an old password, secret or sheet and a copy of its key object:\n" +
  "they can read everything of the epochs that it opens. Only what is made after `rotate` is kept from them.";

export function formatKeys(wraps: readonly WrapSummary[], newestEpoch: number): string {
  const rows = wraps.map((wrap) => [
    wrap.wrapId,
    wrap.kind,
    wrap.madeAtMs === undefined ? "-" : new Date(wrap.madeAtMs).toISOString(),
    wrap.epochs === undefined ? "-" : `1-${wrap.epochs}`,
    wrap.isAtHand ? `${wrap.state}, at hand` : wrap.state,
    [wrap.label, wrap.keyId, wrap.reason].filter((text) => text !== undefined).join(" "),
  ]);
  const table = formatTable([["KEY", "KIND", "MADE", "EPOCHS", "STATE", "LABEL"], ...rows]);
  const left = wraps.filter(({ state }) => state === "outdated").length;
  const advice =
    left === 0 ? "" : `${left} keys were left out of a rotation: \`rotate\` again to finish it.\n`;
  return `${table}the newest key epoch is ${newestEpoch}\n${advice}`;
}

export function formatRemoved(removed: readonly RemovedWrap[]): string {
  return removed
    .map(({ wrapId, outcome }) =>
      outcome === "deleted"
        ? `Removed key ${wrapId}\n`
        : `Retired key ${wrapId}: the store refuses to delete it (a lock); remove it again later\n`,
    )
    .join("");
}

export function formatChanged({ added, removed }: ChangedSecret): string {
  return `Added key ${added}\n${formatRemoved(removed)}${revokesNothing}\n`;
}

export function formatPlan(plan: RotationPlan): string {
  const name = ({ wrapId, kind, label, keyId }: WrapSummary) =>
    [wrapId, kind, label, keyId].filter((text) => text !== undefined).join(" ");
  const lines = (title: string, wraps: readonly WrapSummary[]) =>
    wraps.map((wrap) => `  ${title} ${name(wrap)}`);
  const head =
    plan.kind === "rotate"
      ? `Rotation to key epoch ${plan.epoch}`
      : `An earlier rotation is finished first: all keys get the epochs 1 to ${plan.epoch}, none is added`;
  return [
    head,
    ...lines("write anew", plan.replaced),
    ...lines("drop", plan.dropped),
    ...lines("delete (retired)", plan.retired),
    ...lines("NOT AT HAND", plan.missing),
    "",
  ].join("\n");
}

export function formatRotation(done: RotationSummary): string {
  const outdated = done.outdated.map(
    ({ wrapId, label }) =>
      `Key ${wrapId} ${label ?? ""} was added meanwhile and opens nothing new: rotate again\n`,
  );
  const written = done.written.map((wrapId) => `Added key ${wrapId}\n`).join("");
  return (
    `${written}${formatRemoved(done.removed)}${outdated.join("")}` +
    `The newest key epoch is ${done.epoch}. What was made before stays readable for whoever could read it.\n` +
    "Backups that are under way end in their own epoch, interrupted ones are begun anew. Print new escrow sheets.\n"
  );
}

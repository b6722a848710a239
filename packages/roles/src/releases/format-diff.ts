import type { CatalogueSnapshot, SnapshotRight } from "./catalogue-snapshot.ts";
import type { CatalogueDiff, RoleDiff } from "./diff-catalogues.ts";

/** For a person who decides whether to let a release into their accounts. */
export function formatDiff(diff: CatalogueDiff, compared: readonly CatalogueSnapshot[]): string {
  const notes = compared.flatMap(({ unreleased, version }) =>
    unreleased === undefined ? [] : [`${version} is not released: its catalogue here is ${unreleased}.`],
  );
  if (diff.roles.length === 0)
    return lines([...notes, `${diff.from} and ${diff.to} ask for the same rights.`]);
  const added = diff.roles.flatMap((role) => [...role.added, ...role.nowUsed]);
  const used = added.filter(({ planned }) => planned !== true).length;
  const planned = added.length - used;
  const dropped = diff.roles.reduce((sum, role) => sum + role.dropped.length, 0);
  const changed = diff.roles.reduce((sum, role) => sum + role.changed.length, 0);
  const summary = `From ${diff.from} to ${diff.to}: ${used} rights more, ${dropped} less, ${changed} under other conditions; ${planned} more are planned, and written only when you ask for them or for a role that has no other work.`;
  return lines([...notes, summary, ...diff.roles.flatMap(formatRole)]);
}

function formatRole(diff: RoleDiff): readonly string[] {
  const head = { new: " (new)", gone: " (no longer a role)", changed: "" }[diff.change];
  const profile = diff.instanceProfile;
  return [
    "",
    `${diff.role}${head}`,
    ...diff.trustsAdded.map((one) => `  + trusted: ${one}`),
    ...diff.trustsDropped.map((one) => `  - trusted: ${one}`),
    ...(profile === undefined ? [] : [`  ${profile.after ? "+" : "-"} in an instance profile`]),
    ...diff.added.map((right) => `  + ${formatRight(right)}`),
    ...diff.nowUsed.map((right) => `  + ${formatRight(right)} (was planned)`),
    ...diff.dropped.map((right) => `  - ${formatRight(right)}`),
    ...diff.changed.map(
      ({ after, before }) =>
        `  ~ ${after.action} on ${after.resource}${marks(after)}: was ${limits(before)}, is ${limits(after)}`,
    ),
  ];
}

function formatRight(right: SnapshotRight): string {
  const limited = limits(right);
  return `${right.action} on ${right.resource}${limited === "without condition" ? "" : `, ${limited}`}${marks(right)}`;
}

function limits({ conditions = {}, placement }: SnapshotRight): string {
  const texts = Object.entries(conditions).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, value]) => `if ${key} ${operator} ${[value].flat().join(" or ")}`),
  );
  if (placement !== undefined) texts.push(`for ${placement.replaceAll("-", " ")}`);
  return texts.length === 0 ? "without condition" : texts.join(", ");
}

function marks({ neededWhen, planned }: SnapshotRight): string {
  const when = neededWhen === undefined ? "" : `; only when ${neededWhen}`;
  return planned === true ? `${when} (planned)` : when;
}

function lines(texts: readonly string[]): string {
  return `${texts.join("\n")}\n`;
}

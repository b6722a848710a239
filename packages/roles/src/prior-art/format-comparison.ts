import type { ForgoneAction, PriorArtComparison, RoleComparison, SharedAction } from "./compare-prior-art.ts";

const kinds: Readonly<Record<ForgoneAction["kind"], string>> = {
  "not-called": "not called",
  "another-way": "done another way",
  "another-role": "another role's",
  "not-offered": "not offered here",
  unexplained: "no reason is written down",
};

/** For a person: role by role what isn't asked for and why, what both ask for and how narrow, what is asked for besides. */
export function formatComparison({ product, roles, taken }: PriorArtComparison): string {
  const total = (count: (role: RoleComparison) => number) =>
    roles.reduce((sum, role) => sum + count(role), 0);
  const head = [
    `Rights of each role against the published lists of ${product} (read ${taken}), both with workers in production accounts.`,
    "Ours include what is planned. Theirs are on every resource, without a condition unless it says so.",
    `Over all roles: ${total((role) => role.theirCount)} actions there, ${total((role) => role.ourCount)} here; ${total((role) => role.onlyTheirs.length)} are not asked for here, ${total((role) => role.onlyOurs.length)} only here.`,
  ];
  return `${[...head, ...roles.flatMap(formatRole)].join("\n")}\n`;
}

function formatRole(role: RoleComparison): readonly string[] {
  const trusts = (names: readonly string[]) => (names.length === 0 ? "no service" : names.join(", "));
  return [
    "",
    `${role.role}: ${role.theirCount} actions there, ${role.ourCount} here (${role.sources.join(" ")})`,
    `  trusted: ${trusts(role.theirTrusts)} there, ${trusts(role.ourTrusts)} here`,
    ...formatForgone(role.onlyTheirs),
    ...formatShared(role.shared),
    ...role.onlyOurs.map(({ action, why }) => `  + ${action}: ${why}`),
  ];
}

/** Actions with the same reason in one paragraph. */
function formatForgone(forgone: readonly ForgoneAction[]): readonly string[] {
  const byReason = Map.groupBy(forgone, ({ kind, reason }) => `(${kinds[kind]}) ${reason}`);
  return [...byReason].map(
    ([reason, actions]) => `  - ${actions.map(({ action }) => action).join(", ")} ${reason}`,
  );
}

function formatShared(shared: readonly SharedAction[]): readonly string[] {
  const words = {
    lent: "lent to a worker for one task, on named resources",
    narrower: "on named resources only",
    "as-wide": "on every resource here too: AWS lists no narrower one",
  } as const;
  const groups = Map.groupBy(shared, ({ isConditioned, ours, theirs }) => {
    const under = isConditioned ? ", under conditions" : "";
    return `${words[ours]}${under}${theirs === "every resource" ? "" : " (there under a condition)"}`;
  });
  return [...groups].map(([how, actions]) => `  = ${actions.map(({ action }) => action).join(", ")}: ${how}`);
}

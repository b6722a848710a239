import type { Grant } from "../grant.ts";
import { roleCatalogue } from "../role-catalogue.ts";
import type { RoleDefinition, RoleId } from "../role-definition.ts";
import published from "./published-lists.json" with { type: "json" };
import { reasons, type ReasonKind } from "./reasons.ts";

/** An action that both ask for, and how ours is limited. */
export interface SharedAction {
  readonly action: string;
  /** `lent`: a worker gets it for one task; `narrower`: on named resources; `as-wide`: AWS lists no resource. */
  readonly ours: "lent" | "narrower" | "as-wide";
  readonly resources: readonly string[];
  readonly isConditioned: boolean;
  /** What the other product asks for it, with workers in production. */
  readonly theirs: "every resource" | "every resource, under a condition";
}

export interface ForgoneAction {
  readonly action: string;
  readonly kind: ReasonKind | "unexplained";
  readonly reason: string;
}

export interface OwnAction {
  readonly action: string;
  readonly why: string;
}

export interface RoleComparison {
  readonly role: RoleId;
  readonly sources: readonly string[];
  readonly theirCount: number;
  readonly ourCount: number;
  readonly shared: readonly SharedAction[];
  readonly onlyTheirs: readonly ForgoneAction[];
  readonly onlyOurs: readonly OwnAction[];
  /** Services that may take the role, besides the appliance. */
  readonly theirTrusts: readonly string[];
  readonly ourTrusts: readonly string[];
}

export interface PriorArtComparison {
  readonly product: string;
  readonly taken: string;
  readonly roles: readonly RoleComparison[];
}

/**
 * Every role of the catalogue against the nearest product's published lists of the same purpose, both with workers in
 * production accounts and ours with what is only planned: the comparison is of what each would ask for the same work.
 */
export function comparePriorArt(): PriorArtComparison {
  return { product: published.product, taken: published.taken, roles: roleCatalogue.map(compareRole) };
}

function compareRole(role: RoleDefinition): RoleComparison {
  const lists = published.lists.filter((list) => list.role === role.id);
  const theirs = byName(
    lists.flatMap((list) => [...list.actions, ...list.whenWorkersInProduction, ...list.addedInVersion11]),
  );
  const grants = role.operations.flatMap((operation) => operation.grants);
  const ours = byName(grants.flatMap(({ actions }) => actions));
  const conditioned = new Set(lists.flatMap((list) => list.conditionedActions).map(lowerCase));
  const granting = (name: string) =>
    grants.filter(({ actions }) => actions.some((one) => lowerCase(one) === name));
  const pick = (from: ReadonlyMap<string, string>, isWanted: (name: string) => boolean) =>
    [...from].filter(([name]) => isWanted(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    role: role.id,
    sources: lists.map(({ source }) => source),
    theirCount: theirs.size,
    ourCount: ours.size,
    shared: pick(ours, (name) => theirs.has(name)).map(([name, action]) =>
      shareAction(action, granting(name), conditioned.has(name)),
    ),
    onlyTheirs: pick(theirs, (name) => !ours.has(name)).map(([, action]) => forgoAction(role.id, action)),
    onlyOurs: pick(ours, (name) => !theirs.has(name)).map(([name, action]) => ({
      action,
      why: granting(name)[0]?.why ?? "",
    })),
    theirTrusts: [...new Set(lists.flatMap(({ trusts }) => trusts as readonly string[]))],
    ourTrusts: role.trusts.filter((one) => one !== "appliance").map((one) => `${one}.amazonaws.com`),
  };
}

/** Names of actions compare without case, and the published lists spell some in several ways. */
function byName(actions: readonly string[]): ReadonlyMap<string, string> {
  return new Map(actions.map((action) => [lowerCase(action), action]));
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}

function shareAction(action: string, grants: readonly Grant[], isTheirsConditioned: boolean): SharedAction {
  const resources = [...new Set(grants.flatMap((grant) => grant.resources))];
  const isLent = grants.every(({ caller }) => caller === "worker") && !resources.includes("*");
  return {
    action,
    ours: isLent ? "lent" : resources.includes("*") ? "as-wide" : "narrower",
    resources,
    isConditioned: grants.every(({ conditions }) => conditions !== undefined),
    theirs: isTheirsConditioned ? "every resource, under a condition" : "every resource",
  };
}

function forgoAction(role: RoleId, action: string): ForgoneAction {
  const found = reasons.find(
    (one) => (one.roles?.includes(role) ?? true) && one.actions.some((pattern) => covers(pattern, action)),
  );
  return { action, kind: found?.kind ?? "unexplained", reason: found?.reason ?? "" };
}

function covers(pattern: string, action: string): boolean {
  const [wanted, given] = [lowerCase(pattern), lowerCase(action)];
  return wanted.endsWith("*") ? given.startsWith(wanted.slice(0, -1)) : wanted === given;
}

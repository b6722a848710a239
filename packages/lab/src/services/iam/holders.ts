import { nameKey, type Principal, type Role, type User } from "../../identity/identity-tables.ts";
import type { Collection } from "../../state/collection.ts";
import type { Call, ResourceAccess } from "../../wire/operation-handler.ts";
import { noSuchEntity } from "./iam-errors.ts";

/** Users and roles hold policies in the same ways; operations on them differ only in names and limits. */
export interface HolderKind<Holder extends Principal> {
  /** As in operation names. */
  readonly title: "Role" | "User";
  readonly nameMember: "RoleName" | "UserName";
  readonly inlineLimit: number;
  table(call: Call): Collection<Holder>;
  nameOf(holder: Holder): string;
}

export const roleHolder: HolderKind<Role> = {
  title: "Role",
  nameMember: "RoleName",
  inlineLimit: 10_240,
  table: (call) => call.lab.identity.roles,
  nameOf: (role) => role.roleName,
};

export const userHolder: HolderKind<User> = {
  title: "User",
  nameMember: "UserName",
  inlineLimit: 2048,
  table: (call) => call.lab.identity.users,
  nameOf: (user) => user.userName,
};

export type NamedInput = Readonly<Record<string, unknown>>;

/** Authorises an action on the holder that the input names, then finds it: who may not ask learns nothing. */
export function authorizedHolder<Holder extends Principal>(
  kind: HolderKind<Holder>,
  input: NamedInput,
  demand: Demand,
): Holder {
  const { call, action, context } = demand;
  const name = String(input[kind.nameMember] ?? call.principal.userName ?? "");
  const holder = kind.table(call).get(nameKey(call.accountId, name));
  const resource = holder === undefined ? missingAccess(kind, call, name) : holderAccess(holder);
  call.authorize({
    action: `iam:${action}`,
    resources: [resource],
    ...(context === undefined ? {} : { context }),
  });
  if (holder === undefined) throw noSuchEntity(kind.title.toLowerCase(), name);
  return holder;
}

export interface Demand {
  readonly call: Call;
  /** Without the `iam:`. */
  readonly action: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

export function holderAccess(holder: Principal): ResourceAccess {
  return { arn: holder.arn, accountId: holder.accountId, tags: holder.tags };
}

export function saveHolder<Holder extends Principal>(
  kind: HolderKind<Holder>,
  call: Call,
  holder: Holder,
): void {
  kind.table(call).put(nameKey(call.accountId, kind.nameOf(holder)), holder);
}

function missingAccess<Holder extends Principal>(
  kind: HolderKind<Holder>,
  call: Call,
  name: string,
): ResourceAccess {
  const arn = `arn:${call.partition}:iam::${call.accountId}:${kind.title.toLowerCase()}/${name}`;
  return { arn, accountId: call.accountId };
}

/** The account's holders under a path, by name. */
export function holdersOf<Holder extends Principal>(
  kind: HolderKind<Holder>,
  call: Call,
  pathPrefix = "/",
): Holder[] {
  return [...kind.table(call).values()]
    .filter(({ accountId, path }) => accountId === call.accountId && path.startsWith(pathPrefix))
    .sort((a, b) => (kind.nameOf(a) < kind.nameOf(b) ? -1 : 1));
}

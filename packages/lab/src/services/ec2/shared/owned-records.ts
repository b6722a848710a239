import type { Call } from "../../../wire/operation-handler.ts";

interface Owned {
  readonly accountId: string;
  readonly region: string;
}

/** Whose view of the tables it is. */
export type Viewer = Pick<Call, "lab" | "accountId" | "region">;

/** What the caller's account has in the caller's Region: all that EC2 calls can see, public images aside. */
export function ownedRecords<Value extends Owned>(call: Viewer, records: Iterable<Value>): Value[] {
  return [...records].filter((record) => isOwned(call, record));
}

export function isOwned(call: Viewer, record: Owned | undefined): record is Owned {
  return record !== undefined && record.accountId === call.accountId && record.region === call.region;
}

/** The named records, or all the caller's own when none is named; `missing` makes the error for an unknown id. */
export function selectRecords<Value extends Owned>(
  call: Viewer,
  table: { get(id: string): Value | undefined; values(): Iterable<Value> },
  ids: { readonly named: readonly string[] | undefined; readonly missing: (id: string) => Error },
): Value[] {
  if (ids.named === undefined || ids.named.length === 0) return ownedRecords(call, table.values());
  return ids.named.map((id) => {
    const record = table.get(id);
    if (record === undefined || !isOwned(call, record)) throw ids.missing(id);
    return record;
  });
}

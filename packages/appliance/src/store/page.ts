import { GarrisonError } from "@garrison/core/garrison-error";

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

/** Cuts the row too many that the query asked for; `keyOf` gives what the next page goes on after. */
export function toPage<Item>(
  rows: readonly Item[],
  request: PageRequest,
  keyOf: (item: Item) => string,
): Page<Item> {
  const last = rows[request.limit - 1];
  if (rows.length <= request.limit || last === undefined) return { items: rows };
  const nextCursor = Buffer.from(keyOf(last), "utf8").toString("base64url");
  return { items: rows.slice(0, request.limit), nextCursor };
}

/** What the page goes on after; undefined on the first. */
export function readCursor(request: PageRequest): string | undefined {
  if (request.cursor === undefined) return undefined;
  const text = Buffer.from(request.cursor, "base64url").toString("utf8");
  if (text === "" || text.includes("\0")) {
    throw new GarrisonError("request-invalid", "the cursor is not one that a page answered");
  }
  return text;
}

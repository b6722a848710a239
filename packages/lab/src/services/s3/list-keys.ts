import type { SortedKeys } from "./sorted-keys.ts";

export interface KeyListing {
  readonly prefix: string;
  readonly delimiter: string;
  /** Keys up to and including this one are skipped (`start-after`, `marker`); ending in the delimiter, its whole group is. */
  readonly after: string;
  readonly maxKeys: number;
}

export type ListedItem = { readonly key: string } | { readonly commonPrefix: string };

export interface ListedKeys {
  readonly items: readonly ListedItem[];
  readonly truncated: boolean;
  /** The last item's name: the next listing's `after`. */
  readonly last: string;
}

/**
 * One page of a bucket's listing. Keys that share the part up to the delimiter count as one common prefix, and are
 * jumped over, not walked. `isListed` leaves keys out (those whose newest version is a delete marker).
 */
export function listKeys(
  keys: SortedKeys,
  listing: KeyListing,
  isListed: (key: string) => boolean,
): ListedKeys {
  const { prefix, delimiter, after, maxKeys } = listing;
  const items: ListedItem[] = [];
  let last = "";
  let index = keys.lowerBound(after > prefix ? after : prefix);
  for (;;) {
    const key = keys.at(index);
    if (key === undefined || !key.startsWith(prefix)) return { items, truncated: false, last };
    const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const group = cut < 0 ? undefined : key.slice(0, cut + delimiter.length);
    const skip = after !== "" && (key === after || (group !== undefined && group === after));
    if (skip || !isListed(key)) {
      index = skip && group === after ? groupEnd(keys, index, group) : index + 1;
      continue;
    }
    if (items.length >= maxKeys) return { items, truncated: maxKeys > 0, last };
    last = group ?? key;
    items.push(group === undefined ? { key } : { commonPrefix: group });
    index = group === undefined ? index + 1 : groupEnd(keys, index, group);
  }
}

/** The position behind the last key of a group, found by doubling steps and then halving them. */
function groupEnd(keys: SortedKeys, from: number, group: string): number {
  const isInGroup = (index: number) => keys.at(index)?.startsWith(group) ?? false;
  let low = from;
  let step = 1;
  for (; isInGroup(low + step); step *= 2) low += step;
  let high = low + step;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if (isInGroup(middle)) low = middle;
    else high = middle;
  }
  return low + 1;
}

import { createHash } from "node:crypto";
import { endPrefix, parseSlotName, pointName, pointPrefix } from "../format/object-names.ts";
import type { PointRecord } from "../format/point-record.ts";
import { readTombstone } from "../point/read-slot.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { DomainCheck, Finding } from "./check-plan.ts";

/** What a scan has met: `series/session`. */
export interface ScannedNames {
  /** All slots, whatever they hold; tombstones; points that are told to have vanished already. */
  readonly known: ReadonlySet<string>;
  /** What the record of each point says that it saw. */
  readonly saw: ReadonlyMap<string, PointRecord["seen"]>;
}

/**
 * Each record holds how many sessions of its series there were before it, and a digest of their names. Slots and
 * tombstones stay for ever (of an ended point, one of both), and others may only have come in between since: fewer than a
 * record saw, or as many others, mean that one has been taken away. One finding a series, told of the first such record.
 */
export async function* checkSeen(
  check: DomainCheck,
  names: ScannedNames,
  call: StoreCall,
): AsyncGenerator<Finding> {
  const bySeries = Map.groupBy([...names.known].sort(), (name) => name.split("/")[0]!);
  for (const [series, known] of bySeries) {
    if (findGap(known, names.saw) === undefined) continue;
    // Looked at again: sessions may have committed behind the listing, or have ended and been reclaimed since.
    const gap = findGap(await listAgain(check, { series, known }, call), names.saw);
    if (gap !== undefined) yield findingOf(check, series, gap);
  }
}

interface Gap {
  readonly session: string;
  readonly saw: number;
  readonly left: number;
}

/** The first point that saw what is not there any more. */
function findGap(known: readonly string[], saw: ScannedNames["saw"]): Gap | undefined {
  const digest = createHash("sha256");
  for (const [left, name] of known.entries()) {
    const seen = saw.get(name);
    const session = name.split("/")[1]!;
    const isShort = seen !== undefined && left < seen.count;
    const isOther = seen?.count === left && digest.copy().digest("hex") !== seen.sha256;
    if (isShort || isOther) return { session, saw: seen!.count, left };
    digest.update(session);
  }
  return undefined;
}

async function listAgain(
  check: DomainCheck,
  { series, known }: { readonly series: string; readonly known: readonly string[] },
  call: StoreCall,
): Promise<readonly string[]> {
  const { domain } = check.keys;
  const names = new Set(known);
  for (const prefix of [pointPrefix(domain, series), endPrefix(domain, series)]) {
    for await (const { key } of check.store.list(prefix, call)) {
      const slot = parseSlotName(key);
      if (slot === undefined || names.has(`${series}/${slot.session}`)) continue;
      const isEnd = prefix !== pointPrefix(domain, series);
      if (isEnd && (await readTombstone(check, slot, call)) !== "signed") continue;
      names.add(`${series}/${slot.session}`);
    }
  }
  return [...names].sort();
}

/** Not told as damage: nobody can say what it was, and a stranger's object that looked like a slot may have been removed. */
function findingOf(check: DomainCheck, series: string, { session, saw, left }: Gap): Finding {
  const key = pointName(check.keys.domain, series, session);
  const those = left === saw ? "other ones are there" : `${left} are left`;
  const message = `of the ${saw} sessions of its series that were there before this point, ${those}`;
  return { severity: "notice", code: "point-vanished", key, point: session, message };
}

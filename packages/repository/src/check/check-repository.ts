import { openBlockCrew } from "../blocks/block-crew.ts";
import type { CheckDependencies, CheckedVolume, CheckPlan, DomainCheck, Finding } from "./check-plan.ts";
import { checkVolumeBlocks } from "./check-volume-blocks.ts";
import { checkPacks, checkTablePacks } from "./check-packs.ts";
import { endPrefix, parseSlotName, pointName, pointPrefix, seriesHash } from "../format/object-names.ts";
import { openDescription, type PointRecord } from "../format/point-record.ts";
import { tryEpochs } from "../keys/epochs.ts";
import type { StoreCall } from "../store/object-store.ts";
import { readSlot, readTombstone, type SlotAddress } from "../point/read-slot.ts";
import { tryReading } from "./try-reading.ts";
import { openVolumeReader } from "../point/volume-reader.ts";

/**
 * `structure`: records, tables, and all that they refer to is there with the right size. `full`: also every page and
 * block is read, opened and compared with its id, and each table is counted again. Yields every finding; never stops at
 * the first.
 */
export async function* checkRepository(
  dependencies: CheckDependencies,
  plan: CheckPlan,
  call: StoreCall,
): AsyncGenerator<Finding> {
  const keys = dependencies.repository.domainKeys(plan.domain);
  const crew = openBlockCrew(keys.idKey, { threads: plan.threads });
  try {
    yield* checkDomain({ ...dependencies, keys, crew, plan }, call);
  } finally {
    await crew.close();
  }
}

async function* checkDomain(check: DomainCheck, call: StoreCall): AsyncGenerator<Finding> {
  const ended = new Set<string>();
  for await (const object of check.store.list(endPrefix(check.keys.domain), call)) {
    const slot = parseSlotName(object.key);
    const state = slot === undefined ? "unsigned" : await readTombstone(check, slot, call);
    if (slot !== undefined && state === "signed") ended.add(`${slot.series}/${slot.session}`);
    else
      yield notice(
        "tombstone-unsigned",
        object.key,
        "this end of a restore point is not signed and does not count",
      );
  }
  const seen = new Set<string>();
  const before = new Map<string, CheckedVolume>();
  for await (const object of check.store.list(pointPrefix(check.keys.domain), call)) {
    const slot = parseSlotName(object.key);
    if (slot === undefined) {
      yield notice("foreign-object", object.key, "no restore point has such a name");
      continue;
    }
    seen.add(`${slot.series}/${slot.session}`);
    if (!ended.has(`${slot.series}/${slot.session}`))
      yield* checkSlot(check, { slot, seen, ended, before }, call);
  }
}

interface SlotCheck {
  readonly slot: SlotAddress;
  /** Slots listed so far, and tombstones: `series/session`. */
  readonly seen: ReadonlySet<string>;
  readonly ended: ReadonlySet<string>;
  /** The volume's point that was checked last, by series and volume: what both hold is looked at once. */
  readonly before: Map<string, CheckedVolume>;
}

async function* checkSlot(
  check: DomainCheck,
  { slot, ...known }: SlotCheck,
  call: StoreCall,
): AsyncGenerator<Finding> {
  const key = pointName(check.keys.domain, slot.series, slot.session);
  const content = yield* tryReading({ key, point: slot.session }, () => readSlot(check, slot, call));
  if (content?.state !== "point") return;
  const { record, epoch } = content;
  yield* checkRecord(check, { key, slot, record, ...known });
  yield* checkTablePacks(check, { record, key, epoch }, call);
  for (const volume of record.volumes) {
    const reader = openVolumeReader(check, { series: slot.series, volume }, call);
    const checked = { record, reader };
    yield* checkPacks(check, checked, call);
    const name = `${slot.series}/${volume.volumeId}`;
    if (check.plan.level === "full")
      yield* checkVolumeBlocks(check, { checked, before: known.before.get(name) }, call);
    known.before.set(name, checked);
  }
}

/** What the record says of itself and of those before it. */
function* checkRecord(
  check: DomainCheck,
  {
    key,
    slot,
    record,
    seen,
    ended,
  }: Omit<SlotCheck, "before"> & { readonly key: string; readonly record: PointRecord },
): Generator<Finding> {
  const point = record.session;
  if (record.session !== slot.session || seriesHash(check.keys, record.series) !== slot.series) {
    yield {
      severity: "damage",
      code: "object-damaged",
      key,
      point,
      message: "the record belongs under another name",
    };
  }
  const description = tryEpochs(check.keys, ({ epoch }) => {
    const dataKey = check.repository.sessionDataKey(check.plan.domain, record.session, epoch);
    return openDescription({ dataKey, name: key }, record.description);
  });
  if (description === undefined) {
    yield {
      severity: "damage",
      code: "object-damaged",
      key,
      point,
      message: "the description is not authentic",
    };
  }
  const { predecessor } = record;
  const older = predecessor === undefined ? undefined : `${slot.series}/${predecessor}`;
  if (older !== undefined && !seen.has(older) && !ended.has(older)) {
    const message = `${predecessor}, seen when this point was made, is gone without a tombstone`;
    yield { severity: "damage", code: "point-vanished", key, point, message };
  }
}

function notice(code: string, key: string, message: string): Finding {
  return { severity: "notice", code, key, message };
}

import type { CheckedVolume, DomainCheck, Finding } from "./check-plan.ts";
import {
  packName,
  packPrefix,
  parsePackName,
  pointName,
  seriesHash,
  type PackKind,
} from "../format/object-names.ts";
import { checkHeader, packHeaderBytes } from "../format/pack-container.ts";
import type { PointRecord } from "../format/point-record.ts";
import { PackTable, type PackUse } from "../format/pack-table.ts";
import { readFooter } from "../backup/load-resume.ts";
import type { StoreCall } from "../store/object-store.ts";
import { tryReading } from "./try-reading.ts";

const packKinds: readonly PackKind[] = ["pack", "map"];

/** Compares a volume's pack table with a listing of the packs; at level `full` also opens each pack's two ends. */
export async function* checkPacks(
  check: DomainCheck,
  checked: CheckedVolume,
  call: StoreCall,
): AsyncGenerator<Finding> {
  const { record, reader } = checked;
  const { volumeId } = reader.volume;
  const key = pointName(check.keys.domain, seriesHash(check.keys, record.series), record.session);
  const about = { key, point: record.session, volumeId };
  const table = yield* tryReading(about, () => reader.table());
  yield* tryReading(about, () => reader.hooks());
  if (table === undefined) return;
  for (const kind of packKinds) yield* checkUses(check, { table, kind, about }, call);
}

/** The packs that hold a point's tables and hooks are named by its record. */
export async function* checkTablePacks(
  check: DomainCheck,
  checked: { readonly record: PointRecord; readonly key: string; readonly epoch: number },
  call: StoreCall,
): AsyncGenerator<Finding> {
  const { session, lane, tablePacks } = checked.record;
  const table = new PackTable();
  for (const pack of tablePacks) {
    const name = { session, lane, number: pack.number };
    table.addReference("map", name, 1);
    table.describe("map", name, { ...pack, epoch: checked.epoch });
  }
  yield* checkUses(check, { table, kind: "map", about: { key: checked.key, point: session } }, call);
}

interface WantedPacks {
  readonly table: PackTable;
  readonly kind: PackKind;
  readonly about: Pick<Finding, "key" | "point" | "volumeId">;
}

async function* checkUses(check: DomainCheck, wanted: WantedPacks, call: StoreCall): AsyncGenerator<Finding> {
  const listed = await listPacks(check, wanted, call);
  for (const use of wanted.table.uses(wanted.kind)) {
    const finding = compare(check, use, listed);
    if (finding !== undefined) yield { ...wanted.about, ...finding };
    else if (check.plan.level === "full") yield* checkEnds(check, { use, about: wanted.about }, call);
  }
}

/** One listing for each session that the table mentions. */
async function listPacks(
  check: DomainCheck,
  wanted: { readonly table: PackTable; readonly kind: PackKind },
  call: StoreCall,
): Promise<PackTable> {
  const listed = new PackTable();
  const sessions = new Set([...wanted.table.uses(wanted.kind)].map((use) => use.session));
  for (const session of sessions) {
    for await (const object of check.store.list(packPrefix(check.keys.domain, wanted.kind, session), call)) {
      const name = parsePackName(object.key);
      if (name !== undefined) listed.describe(wanted.kind, name, { items: 1, sizeBytes: object.sizeBytes });
    }
  }
  return listed;
}

function compare(check: DomainCheck, use: PackUse, listed: PackTable) {
  const key = packName(check.keys.domain, use.kind, use);
  const found = listed.find(use.kind, use);
  if (found === undefined || found.items === 0) {
    return { severity: "damage", code: "object-missing", key, message: "the pack is not there" } as const;
  }
  if (found.sizeBytes === use.sizeBytes) return undefined;
  const message = `the pack has ${found.sizeBytes} bytes, not ${use.sizeBytes}`;
  return { severity: "damage", code: "object-truncated", key, message } as const;
}

async function* checkEnds(
  check: DomainCheck,
  pack: { readonly use: PackUse; readonly about: Pick<Finding, "point" | "volumeId"> },
  call: StoreCall,
): AsyncGenerator<Finding> {
  const { use } = pack;
  const key = packName(check.keys.domain, use.kind, use);
  yield* tryReading({ ...pack.about, key }, async () => {
    const header = await check.store.read(key, { ...call, range: { offset: 0, length: packHeaderBytes } });
    checkHeader(use, header, key);
    await readFooter(check, { address: use, sizeBytes: use.sizeBytes }, call);
  });
}

import { itemKinds } from "../../format/format-limits.ts";
import { pageAad, pageId } from "../../format/item-identity.ts";
import { packName, parseSlotName } from "../../format/object-names.ts";
import { PackBuilder, packKey } from "../../format/pack-container.ts";
import { decodePackTable, encodePackTable } from "../../format/pack-table.ts";
import { packPayload } from "../../format/page-payload.ts";
import { decodeRecord, encodeRecord, type PointRecord } from "../../format/point-record.ts";
import { decodeObject, encodeObject } from "../../format/sealed-object.ts";
import { readParts } from "../../point/page-reader.ts";
import type { ObjectStore, StoreCall } from "../../store/object-store.ts";
import type { Stage } from "../actors/stage.ts";
import type { Mistake } from "./mistake.ts";

/** The first pack of the first volume is said to be referred to once less than it is. */
export const tableOffByOne: Mistake = {
  name: "table-off-by-one",
  what: "a writer's pack table counts one reference less than its pages hold",
  foundBy: [6],
  openStore(store, { stage, process }) {
    if (process.role !== "writer") return undefined;
    let mapPacks = 0;
    return {
      ...store,
      async create(key, bytes, call) {
        if (key.includes("/map/")) mapPacks++;
        const object = key.includes("/point/") ? decodeObject(keysOf(stage), key, bytes) : undefined;
        if (object?.kind !== "record") return store.create(key, bytes, call);
        const record = decodeRecord(object.body, key);
        const wrong = await withWrongTable({ stage, store, number: mapPacks, key }, record, call);
        const changed = { ...object, body: encodeRecord(wrong) };
        return store.create(key, encodeObject(keysOf(stage), process.random, changed), call);
      },
    };
  },
};

const keysOf = ({ model }: Stage) => model.keyring.keys;

interface WrongWriter {
  readonly stage: Stage;
  readonly store: ObjectStore;
  /** Of the map pack that the wrong table goes into. */
  readonly number: number;
  readonly key: string;
}

async function withWrongTable(
  { stage, store, number, key }: WrongWriter,
  record: PointRecord,
  call: StoreCall,
): Promise<PointRecord> {
  const keys = keysOf(stage);
  const [volume, ...others] = record.volumes;
  const place = { series: parseSlotName(key)!.series, volumeId: volume!.volumeId };
  const wanted = { volume: place, kind: itemKinds.table, parts: volume!.tables };
  const table = decodePackTable(await readParts({ store, keys }, wanted, call), key);
  const [first] = table.uses("pack");
  if (first === undefined) return record;
  table.addReference("pack", first, -1);
  const plain = encodePackTable(table);
  const id = pageId(keys.idKey, itemKinds.table, plain);
  const pack = { kind: "map", session: record.session, lane: record.lane, number } as const;
  const builder = new PackBuilder(pack, { keys, itemKey: packKey(keys.mapKey, pack) }, Buffer.alloc(8192));
  const item = {
    kind: itemKinds.table,
    codec: 0,
    volume: 0,
    position: 0,
    plainBytes: plain.length,
    id,
  } as const;
  const aad = pageAad(keys, { kind: itemKinds.table, id, place: { ...place, position: 0 } });
  const at = builder.append(item, packPayload(plain), aad);
  const bytes = builder.finish();
  await store.create(packName(keys.domain, "map", pack), bytes, call);
  const tables = [{ id, session: pack.session, lane: pack.lane, pack: number, ...at }];
  const tablePacks = [...record.tablePacks, { number, items: 1, sizeBytes: bytes.length }];
  return { ...record, volumes: [{ ...volume!, tables }, ...others], tablePacks };
}

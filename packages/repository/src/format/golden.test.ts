import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { deriveRepository } from "../keys/derive-keys.ts";
import { deriveKey } from "./derive-key.ts";
import { encodeHooks, packHooks } from "./hooks.ts";
import { emptyInterior, encodeInterior } from "./interior-page.ts";
import { chunkAad, chunkId, pageAad, pageId } from "./item-identity.ts";
import { decodeWrap, encodeWrap, openWrap } from "./key-wrap.ts";
import { encodeEpochSlot, encodeRetiredMark, epochCheck } from "./key-marks.ts";
import { stretchAnew, stretchSecret } from "../keys/stretch-secret.ts";
import type { RepositorySecret } from "../keys/repository-secret.ts";
import { emptyLeaf, encodeLeaf } from "./leaf-page.ts";
import { PackBuilder, packKey } from "./pack-container.ts";
import { encodePackTable, PackTable } from "./pack-table.ts";
import { encodeObject } from "./sealed-object.ts";
import { baseName, markName, packName, pointName, seriesHash } from "./object-names.ts";

/** The bytes of format version 1 under fixed keys: a change here is a change of the format. */
const fixedRandom = { bytes: (length: number) => new Uint8Array(length).fill(0xa5) };
const repository = deriveRepository("000102030405060708090a0b0c0d0e0f", [
  Uint8Array.from({ length: 32 }, (_, at) => at),
]);
const keys = repository.domainKeys("111122223333");
const session = "006b04dc400d99a8";
const lane = "e6e51313";
const row = { session, lane };
const id = Uint8Array.from({ length: 32 }, (_, at) => 255 - at);
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const digestOf = (bytes: Uint8Array) =>
  `${bytes.length} ${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}`;

test("keys", () => {
  const dataKey = repository.sessionDataKey("111122223333", session, 1);
  const pack = { kind: "pack", session, lane, number: 3 } as const;
  expect({
    derived: hexOf(deriveKey(id, "label", ["ab", Uint8Array.of(1)])),
    idKey: hexOf(keys.idKey),
    mapKey: hexOf(keys.mapKey),
    pointKey: hexOf(keys.pointKey),
    control: hexOf(keys.controlPublicKey),
    dataKey: hexOf(dataKey),
    packKey: hexOf(packKey(dataKey, pack)),
    mapPackKey: hexOf(packKey(keys.mapKey, { ...pack, kind: "map" })),
  }).toMatchInlineSnapshot(`
    {
      "control": "6a23a8937b397cb4b5ccd212d0d89201deeb8bf8c04df47a86563928486ec6e3",
      "dataKey": "53150a5f1eedf2d58b8614592e54f03f347986e28e663aa1662319649b1fee0e",
      "derived": "2d78498e3434dbc68023641ca6541fa9cc70632eb8ad95326ac9be3a12532745",
      "idKey": "7dca0fc01478193e0fa3e443dc9938e67fd71f17d8f0eb6d3117bba2cea4f29c",
      "mapKey": "774bf75f82eceaeafaa122d199553689d1f04da7b9176d74d5ad1f1ca9d5948f",
      "mapPackKey": "81d7e6afdae02ae89d1453a394696ae79961e43123a496784a25ccec0ee377d8",
      "packKey": "d783e11efe0a85a00cb0e71caf0d6b8a4dd5c24832f759135979f8a5eee5f55e",
      "pointKey": "0bb55f64606ee5eb5160b7fc3ed148006bbaae3e92266a4ca860b6960cf9348b",
    }
  `);
});

test("names and ids", () => {
  const series = seriesHash(keys, "arn:aws:ec2:eu-central-1:111122223333:instance/i-0abc");
  const place = { series, volumeId: "vol-1", position: 512 };
  expect({
    pack: packName(keys.domain, "pack", { ...row, number: 255 }),
    map: packName(keys.domain, "map", { ...row, number: 0 }),
    mark: markName(keys.domain, { ...row, number: 1 }),
    base: baseName(keys.domain, session, 2),
    point: pointName(keys.domain, series, session),
    chunkId: hexOf(chunkId(keys.idKey, id)),
    leafId: hexOf(pageId(keys.idKey, 2, Buffer.from("page"))),
    chunkAad: hexOf(chunkAad(keys, { id, plainBytes: 524_288, codec: 1 })),
    pageAad: hexOf(pageAad(keys, { kind: 3, id, place })),
  }).toMatchInlineSnapshot(`
    {
      "base": "111122223333/session/006b04dc400d99a8/base-00000002",
      "chunkAad": "6761727269736f6e2f312f6974656d00000102030405060708090a0b0c0d0e0f000c31313131323232323333333301fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e00008000001",
      "chunkId": "2117b44a9e4807edc745b916c35caae2db4b71baaec187790f1a6598f5c58e23",
      "leafId": "c6740830c66688ebc91b0fe32ac95cb93cb4520d7454bca6c95bfd1328e8c395",
      "map": "111122223333/map/006b04dc400d99a8/e6e51313-00000000",
      "mark": "111122223333/session/006b04dc400d99a8/mark-e6e51313-00000001",
      "pack": "111122223333/pack/006b04dc400d99a8/e6e51313-000000ff",
      "pageAad": "6761727269736f6e2f312f6974656d00000102030405060708090a0b0c0d0e0f000c31313131323232323333333303fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0abb8e89de3bb83321e1ad8bda1cdb3980005766f6c2d31000000000200",
      "point": "111122223333/point/abb8e89de3bb83321e1ad8bda1cdb398/006b04dc400d99a8",
    }
  `);
});

test("pages, tables and hooks", () => {
  const leaf = emptyLeaf();
  leaf[0] = { id, ...row, pack: 1, offset: 32, length: 1000, codec: 1 };
  leaf[511] = {
    id,
    session: "00".repeat(8),
    lane: "00".repeat(4),
    pack: 2,
    offset: 0xfffffffe,
    length: 20,
    codec: 0,
  };
  const interior = emptyInterior();
  interior[1] = { id, ...row, pack: 4, offset: 5, length: 6, count: 7 };
  const table = new PackTable();
  for (const number of [0, 1, 300]) {
    table.addReference("pack", { ...row, number }, 64);
    table.describe("pack", { ...row, number }, { items: 64, sizeBytes: 33_554_432, epoch: 1 });
  }
  table.addReference("map", { ...row, number: 0 }, 2);
  table.describe("map", { ...row, number: 0 }, { items: 2, sizeBytes: 4290, epoch: 1 });
  expect({
    leaf: digestOf(encodeLeaf(leaf)),
    leafHead: hexOf(encodeLeaf(leaf).subarray(0, 79)),
    emptyLeaf: digestOf(encodeLeaf(emptyLeaf())),
    interior: hexOf(encodeInterior(1, interior)),
    emptyRoot: hexOf(encodeInterior(2, emptyInterior())),
    table: hexOf(encodePackTable(table)),
    hooks: hexOf(encodeHooks(packHooks([{ idPrefix: id.subarray(0, 8), leaf: 258 }]))),
  }).toMatchInlineSnapshot(`
    {
      "emptyLeaf": "24072 c419cf00eee59d09a47eb23f73f16f68",
      "emptyRoot": "0102000000000000",
      "hooks": "0100000000000001fffefdfcfbfaf9f800000102",
      "interior": "0101000100020000006b04dc400d99a8e6e51313000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e000000000000400000005000000060007",
      "leaf": "24096 c743cd15972cf3541b2760aa2107dbe3",
      "leafHead": "0100000202000000006b04dc400d99a8e6e5131300000000000000000000000011fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e000000000000100000020000003e8",
      "table": "0101006b04dc400d99a8e6e513130001030040408080801000404080808010aa0240408080801001006b04dc400d99a8e6e51313000101000202c221",
    }
  `);
});

test("sealed forms", () => {
  const pack = { kind: "map", ...row, number: 9 } as const;
  const builder = new PackBuilder(pack, { keys, itemKey: packKey(keys.mapKey, pack) }, Buffer.alloc(4096));
  const item = { kind: 2, codec: 0, volume: 0, position: 512, plainBytes: 3, id } as const;
  builder.append(item, Buffer.from("abc"), Buffer.from("aad"));
  const name = "111122223333/session/006b04dc400d99a8/open";
  const object = encodeObject(keys, fixedRandom, { name, kind: "open", body: Buffer.from("{}") });
  expect({
    pack: hexOf(builder.finish()),
    object: hexOf(object),
  }).toMatchInlineSnapshot(`
    {
      "object": "4752534e01010001a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a500000002000000003f3759b8f5277c1141f1f5961f7401176e0a",
      "pack": "4750434b01020001006b04dc400d99a8e6e5131300000009000000000000000000000000f8b795a7ae8d4f2b252bf4c02d4c8ebc281bdbf7e00b0ed102b213481b36ab196619bf90e440520d13785244f4f040f3f4d0c302e99d085cdce5c5dabe47086bfac0ba55af8d70c4a224556d4b77ed75f667ff1204c2ab0ad1000000460000000147454e44",
    }
  `);
});

const wrapPlace = { repositoryId: keys.repositoryId, wrapId: "0011223344556677" };
const call = { signal: new AbortController().signal };

async function goldenWrap(secret: RepositorySecret): Promise<string> {
  const stretched = await stretchAnew({ ...wrapPlace, random: fixedRandom }, secret, call);
  const about = { ...stretched, masterKeys: [id, keys.idKey], madeAtMs: 1_795_564_800_000, label: "safe" };
  return Buffer.from(encodeWrap(wrapPlace, about)).toString();
}

test("wraps and what lies beside them", async () => {
  const kms = {
    wrap: async ({ keyId }: { readonly keyId: string }) => ({ keyId, bytes: Buffer.from("wrapped") }),
    unwrap: async () => id,
  };
  const slot = { check: epochCheck(keys.repositoryId, keys.idKey), madeAtMs: 1_795_564_800_000 };
  expect({
    secret: await goldenWrap({ masterSecret: id }),
    password: await goldenWrap({ password: "correct horse" }),
    kms: await goldenWrap({ kms, keyId: "arn:aws:kms:eu-central-1:111122223333:key/1" }),
    retired: Buffer.from(encodeRetiredMark(wrapPlace, { retiredAtMs: 1_795_564_800_000 }, id)).toString(),
    epoch: Buffer.from(encodeEpochSlot({ ...wrapPlace, epoch: 2 }, slot, id)).toString(),
  }).toMatchInlineSnapshot(`
    {
      "epoch": "{"check":"202d5d0dba20d69a43d110dcd2913afd8fd47601539c251a438baeb0f5c4fff4","madeAtMs":1795564800000,"mac":"tAJj9+JKfeC7ReTiOrsea50ocg6v4O+v8qvuFOrgF1g="}",
      "kms": "{"kdf":"kms","salt":"paWlpaWlpaWlpaWlpaWlpQ==","keyId":"arn:aws:kms:eu-central-1:111122223333:key/1","wrappedSecret":"d3JhcHBlZA==","epochs":2,"madeAtMs":1795564800000,"label":"safe","keys":"L7npdDX+hLJHp7acxR21GLEVoNHMW5++rTSCM4IJR3mq3ylDJjmtdL7sRIIBDmMoRnMGeCst+AkOabV+LHG/Na+OBct0qc29tz5b3Jt2G3c=","mac":"yACC/nVn48beyvpILvWzXedDU1vnanhzhi+vQCtHLLw="}",
      "password": "{"kdf":"argon2id","salt":"paWlpaWlpaWlpaWlpaWlpQ==","memoryKiB":65536,"passes":3,"parallelism":1,"epochs":2,"madeAtMs":1795564800000,"label":"safe","keys":"foQWCmfgUWUK8I0RmYtH0bFk1B9eeGJWTepxL9jaJ38zz1K0kSzz/jKMH0BjMwbz6Z1f4O0qv3JMcZl0/dZezkd6u+h0yDVPB5kXgWQ6Adw=","mac":"Lw5oTVydfmA+JO0525PxD6lB16z+bO2mVDYmQ+ykW/4="}",
      "retired": "{"retiredAtMs":1795564800000,"mac":"Qj4A7AObaaWTgsJUrDygxa7jVcNx6K7YYv7ajfX1FHM="}",
      "secret": "{"kdf":"secret","salt":"paWlpaWlpaWlpaWlpaWlpQ==","epochs":2,"madeAtMs":1795564800000,"label":"safe","keys":"IAl8Xhl98cZYO+X8NMm0PoAqC0Ts3uoilTE4qw+44+dGGSNOuJSuuFfvMvm/gTVdJtSnuMUkJwk1Y5L7ipDeNQEPe/8fpgIEWeEdPxYVpOM=","mac":"KgOj9cHw7Q/COJiGfEMuw/sGzAi4F3EYa4CI8IoXQQM="}",
    }
  `);
});

test.each([
  [
    { masterSecret: id },
    '{"kdf":"secret","salt":"paWlpaWlpaWlpaWlpaWlpQ==","memoryKiB":65536,"passes":3,"parallelism":1,"keys":"IAl8Xhl98cZYO+X8NMm0PoAqC0Ts3uoilTE4qw+44+e3KXTS38GYtgutvk3NEsNY"}',
  ],
  [
    { password: "correct horse" },
    '{"kdf":"argon2id","salt":"paWlpaWlpaWlpaWlpaWlpQ==","memoryKiB":65536,"passes":3,"parallelism":1,"keys":"foQWCmfgUWUK8I0RmYtH0bFk1B9eeGJWTepxL9jaJ397NtUpjY/lNHm4wcTaJcEQ"}',
  ],
])("a wrap of before wraps had labels opens (%#)", async (secret, text) => {
  const wrap = decodeWrap(Buffer.from(text), "key/0011223344556677");
  const stretched = await stretchSecret({ ...wrapPlace, ...wrap }, secret, call);
  expect(openWrap(wrapPlace, wrap, stretched!)).toEqual([id]);
});

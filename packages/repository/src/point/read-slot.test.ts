import { expect, test } from "vitest";
import { pointName, seriesHash } from "../format/object-names.ts";
import { decodeObject, encodeObject } from "../format/sealed-object.ts";
import { backUp, call, drawSession, MemoryDisk, openFixture } from "../simulation/engine-fixture.ts";
import { readSlot } from "./read-slot.ts";

test("a record that is reclaimed between the listing and the reading is not there", async () => {
  const fixture = openFixture("reclaimed");
  const disk = new MemoryDisk(40);
  disk.write(0, fixture.random);
  const { point } = await backUp(fixture, { source: disk.source() });
  const store = {
    ...fixture.store,
    read: (key: string, reading: typeof call) => {
      fixture.objects.delete(key);
      return fixture.store.read(key, reading);
    },
  };
  const address = { series: seriesHash(fixture.keys, "disk"), session: point };
  expect(await readSlot({ ...fixture, store }, address, call)).toBeUndefined();
});

test("a record that a writer sealed for the slot of another point is not taken for that point", async () => {
  const fixture = openFixture("another's slot");
  const { keys, random } = fixture;
  const { point } = await backUp(fixture, { source: new MemoryDisk(4).source() });
  const series = seriesHash(keys, "disk");
  const name = pointName(keys.domain, series, point);
  const { kind, body } = decodeObject(keys, name, fixture.objects.get(name)!.bytes);
  const session = await drawSession(fixture);
  const another = pointName(keys.domain, series, session);
  await fixture.store.create(another, encodeObject(keys, random, { name: another, kind, body }), call);
  await expect(readSlot(fixture, { series, session }, call)).rejects.toMatchObject({
    code: "object-damaged",
    message: expect.stringContaining("belongs under another name"),
  });
});

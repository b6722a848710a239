import { expect, test } from "vitest";
import { seriesHash } from "../format/object-names.ts";
import { backUp, call, MemoryDisk, openFixture } from "../simulation/engine-fixture.ts";
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

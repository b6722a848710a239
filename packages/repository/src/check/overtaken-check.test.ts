import { expect, test } from "vitest";
import { backUp, call, fixtureDomain, MemoryDisk, openFixture } from "../simulation/engine-fixture.ts";
import { checkRepository } from "./check-repository.ts";

test("a point that was committed behind the listing, and that a later record saw, has not vanished", async () => {
  const fixture = openFixture("behind");
  const { random, store } = fixture;
  const disk = new MemoryDisk(40);
  disk.write(0, random);
  const { point: behind } = await backUp(fixture, { source: disk.source() });
  await backUp(fixture, { source: disk.source(), parent: behind });
  const passed = {
    ...store,
    async *list(prefix: string, listing: typeof call) {
      for await (const object of store.list(prefix, listing)) {
        const isPassed = prefix.endsWith("/point/") && object.key.endsWith(behind);
        if (!isPassed) yield object;
      }
    },
  };
  const plan = { level: "full", domain: fixtureDomain, threads: 0 } as const;
  expect(await Array.fromAsync(checkRepository({ ...fixture, store: passed }, plan, call))).toEqual([]);
});

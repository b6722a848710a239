import { expect, test } from "vitest";
import { seededRandom } from "@garrison/core/random";
import { packHooks } from "../format/hooks.ts";
import { indexHooks } from "./hook-index.ts";

test("an index of hooks finds the leaf of each, and of nothing else", () => {
  const random = seededRandom("hooks");
  const idOf = (lastByte: number) => Uint8Array.of(...random.bytes(31), lastByte);
  for (const count of [0, 1, 2, 3, 100]) {
    const ids = Array.from({ length: count }, () => idOf(64));
    const index = indexHooks(packHooks(ids.map((id, leaf) => ({ idPrefix: id.slice(0, 8), leaf }))));
    expect(ids.map((id) => index.leafOf(id))).toEqual([...ids.keys()]);
    for (let round = 0; round < 20; round++) expect(index.leafOf(idOf(128))).toBeUndefined();
    for (const id of ids) expect(index.leafOf(Uint8Array.of(...id.slice(0, 31), 1))).toBeUndefined();
  }
});

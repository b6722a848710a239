import { expect, test } from "vitest";
import { seededRandom } from "@garrison/core/random";
import { blockSizeBytes } from "../disk/block-source.ts";
import { withPlainBytes, type ChunkAddress } from "../format/page-reference.ts";
import { RecentChunks } from "./recent-chunks.ts";

const lane = { session: "006b04dc400d99a8", lane: "e6e51313" };
const random = seededRandom("recent");

/** The first bytes of the ids are few, so that many share a head. */
function chunk(number: number, plainBytes = blockSizeBytes): ChunkAddress {
  const id = new Uint8Array(random.bytes(32));
  id.set([0, 0, number % 3]);
  const place = { pack: 2 ** 24 - number, offset: 33_000_000 - number, length: 1000 + number };
  return withPlainBytes({ id, ...lane, ...place, codec: (number % 2) as 0 | 1 }, plainBytes);
}

test("the last chunks are found as they were added, whatever their ids have in common, and older ones are not", () => {
  const recent = new RecentChunks(lane, 50);
  const added: ChunkAddress[] = [];
  for (let number = 0; number < 500; number++) {
    const address = chunk(number, number % 5 === 0 ? 4 * 1024 * 1024 - number : blockSizeBytes);
    expect(recent.find(address.id)).toBeUndefined();
    recent.add(address);
    added.push(address);
    for (const [at, each] of added.entries())
      expect(recent.find(each.id), `${at} of ${number}`).toEqual(at > number - 50 ? each : undefined);
  }
});

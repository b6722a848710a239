import { interiorEntries } from "../format/format-limits.ts";
import type { Leaf } from "../format/leaf-page.ts";
import type { ByteRange } from "./stream-ranges.ts";
import type { VolumeReader } from "./volume-reader.ts";

export interface WalkedStreamLeaf {
  readonly number: number;
  /** Where in the stream the leaf begins. */
  readonly offset: number;
  readonly leaf: Leaf;
}

const leavesAhead = 2;

/** The leaves that hold a range of a stream, in order, read a little ahead; pages beside the range are not read. */
export async function* walkStream(reader: VolumeReader, range: ByteRange): AsyncGenerator<WalkedStreamLeaf> {
  const ahead: { readonly number: number; readonly offset: number; readonly leaf: Promise<Leaf> }[] = [];
  for await (const { number, offset } of findLeaves(reader, range)) {
    const leaf = reader.leaf(number).then((entries) => entries ?? []);
    leaf.catch(() => undefined); // reported when its turn comes
    ahead.push({ number, offset, leaf });
    if (ahead.length > leavesAhead) yield await arrived(ahead.shift()!);
  }
  for (const walked of ahead) yield await arrived(walked);
}

async function arrived<Walked extends { readonly leaf: Promise<Leaf> }>(walked: Walked) {
  return { ...walked, leaf: await walked.leaf };
}

async function* findLeaves(reader: VolumeReader, range: ByteRange) {
  const end = range.offset + range.length;
  let offset = 0;
  for (const [slot, child] of reader.volume.root.entries()) {
    const below = child?.plainBytes ?? 0;
    if (below === 0 || offset >= end) return;
    if (offset + below <= range.offset) {
      offset += below;
      continue;
    }
    for (const [at, leaf] of ((await reader.interior(slot)) ?? []).entries()) {
      const bytes = leaf?.plainBytes ?? 0;
      const isWanted = offset < end && offset + bytes > range.offset;
      if (isWanted) yield { number: slot * interiorEntries + at, offset };
      offset += bytes;
    }
  }
}

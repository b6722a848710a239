import { interiorEntries } from "../format/format-limits.ts";
import type { Leaf } from "../format/leaf-page.ts";
import type { VolumeReader } from "./volume-reader.ts";

export interface WalkedLeaf {
  readonly number: number;
  readonly leaf: Promise<Leaf | undefined>;
}

const leavesAhead = 2;

/** The leaves of a volume in order, read a little ahead. With `withEmpty`, ranges without a page come too. */
export async function* walkVolume(
  reader: VolumeReader,
  options: { readonly withEmpty: boolean },
): AsyncGenerator<{ readonly number: number; readonly leaf: Leaf | undefined }> {
  const ahead: WalkedLeaf[] = [];
  for await (const number of leafNumbers(reader, options)) {
    const leaf = reader.leaf(number);
    leaf.catch(() => undefined); // reported when its turn comes
    ahead.push({ number, leaf });
    if (ahead.length > leavesAhead) yield await arrived(ahead.shift()!);
  }
  for (const walked of ahead) yield await arrived(walked);
}

async function arrived(walked: WalkedLeaf) {
  return { number: walked.number, leaf: await walked.leaf };
}

async function* leafNumbers(
  reader: VolumeReader,
  options: { readonly withEmpty: boolean },
): AsyncGenerator<number> {
  const leaves = reader.leafCount;
  for (let slot = 0; slot * interiorEntries < leaves; slot++) {
    const interior = await reader.interior(slot);
    if (interior === undefined && !options.withEmpty) continue;
    const end = Math.min(leaves, (slot + 1) * interiorEntries);
    for (let number = slot * interiorEntries; number < end; number++) {
      if (options.withEmpty || interior?.[number % interiorEntries] !== undefined) yield number;
    }
  }
}

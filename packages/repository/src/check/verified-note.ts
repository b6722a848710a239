import { deleteNotes, listNotes, writeNote, type Keeper } from "../keeper/notes.ts";
import type { PackAddress } from "../format/pack-container.ts";
import type { DomainKeys } from "../keys/keys.ts";
import { isDamage } from "../point/is-damage.ts";
import { packKey } from "../repair/lost-items.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import type { PackSet } from "./pack-set.ts";
import { VerifiedPacks } from "./verified-packs.ts";

/** What all notes together say of when packs were read, and which notes these are. */
export interface VerifiedMemory {
  readonly verified: VerifiedPacks;
  readonly notes: readonly string[];
}

/** Several notes are there when checks ran at the same time: the latest reading of a pack counts. */
export async function loadVerified(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  call: StoreCall,
): Promise<VerifiedMemory> {
  const notes: string[] = [];
  let verified = new VerifiedPacks();
  for await (const { id, fields } of listNotes(dependencies, "verified", call)) {
    notes.push(id);
    try {
      const noted = VerifiedPacks.decode(fields.bytes("runs"), `the note ${id}`);
      verified = merge(verified, noted.packs());
    } catch (error) {
      if (!isDamage(error)) throw error; // a note can always be done without
    }
  }
  return { verified, notes };
}

/** Notes that packs have been read, in one new note that takes the place of the ones before. */
export async function noteVerified(
  keeper: Keeper,
  reading: {
    readonly memory: VerifiedMemory;
    /** In the order of their times, in seconds since 1970. */
    readonly read: readonly { readonly at: number; readonly packs: PackSet }[];
    /** Packs that are not needed any more are forgotten. */
    readonly isNeeded: (pack: PackAddress) => boolean;
  },
  call: StoreCall,
): Promise<VerifiedMemory> {
  let { verified } = reading.memory;
  for (const { at, packs } of reading.read) verified = merge(verified, withTime(packs, at));
  const kept = new VerifiedPacks();
  for (const pack of verified.packs()) if (reading.isNeeded(pack)) kept.append(pack, pack.at);
  const runs = Buffer.from(kept.encode()).toString("base64");
  const id = await writeNote(keeper, { kind: "verified", body: { runs } }, call);
  await deleteNotes(keeper, { kind: "verified", ids: reading.memory.notes }, call);
  return { verified: kept, notes: [id] };
}

type ReadPack = PackAddress & { readonly at: number };

function* withTime(packs: Iterable<PackAddress>, at: number): Generator<ReadPack> {
  for (const pack of packs) yield { ...pack, at };
}

/** Both in the order of their names; of two times for one pack the later one. */
function merge(left: VerifiedPacks, right: Iterable<ReadPack>): VerifiedPacks {
  const merged = new VerifiedPacks();
  const others = right[Symbol.iterator]();
  let other = others.next();
  for (const pack of left.packs()) {
    const key = packKey(pack);
    for (; other.done !== true && packKey(other.value) < key; other = others.next()) {
      merged.append(other.value, other.value.at);
    }
    const isBoth = other.done !== true && packKey(other.value) === key;
    merged.append(pack, isBoth ? Math.max(pack.at, other.value.at) : pack.at);
    if (isBoth) other = others.next();
  }
  for (; other.done !== true; other = others.next()) merged.append(other.value, other.value.at);
  return merged;
}

import { mapConcurrent } from "@garrison/core/map-concurrent";
import { isObjectError } from "../store/is-object-error.ts";
import type { BackupDependencies } from "./backup-plan.ts";
import { itemKinds } from "../format/format-limits.ts";
import {
  markName,
  markPrefix,
  packName,
  packPrefix,
  parseMarkName,
  parsePackName,
} from "../format/object-names.ts";
import { decodeFooter, packTrailerBytes, readTrailer, type PackAddress } from "../format/pack-container.ts";
import type { FooterEntry } from "../format/pack-container.ts";
import { withPlainBytes, type ChunkAddress } from "../format/page-reference.ts";
import { decodeObject } from "../format/sealed-object.ts";
import { decodeMark, type MarkLeaf, type MarkPack, type SessionMark } from "../format/session-objects.ts";
import type { ObjectStore, StoreCall, StoredObject } from "../store/object-store.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { WriterSession } from "./open-session.ts";

/** What earlier lanes of a session have sealed. */
export interface ResumeState {
  readonly frontier: SessionMark["frontier"];
  readonly continues: SessionMark["continues"];
  /** Leaves before the frontier, in order. */
  readonly leaves: readonly MarkLeaf[];
  /** All packs that may be referred to. */
  readonly packs: readonly MarkPack[];
  /** Chunks behind the frontier, by volume number and block. */
  find(volume: number, block: number): ChunkAddress | undefined;
  /** All chunks behind the frontier; two lanes may have sealed different ones for one place in a stream. */
  readonly chunks: readonly ChunkAddress[];
}

export const freshStart: ResumeState = {
  frontier: { volume: 0, leaf: 0 },
  continues: undefined,
  leaves: [],
  packs: [],
  find: () => undefined,
  chunks: [],
};

/**
 * Takes the chain of marks with the furthest frontier, then the footers of packs sealed after it, of all lanes: nothing
 * sealed is read again. What is damaged is left aside and read again from the source.
 */
export async function loadResume(
  dependencies: BackupDependencies,
  session: WriterSession,
  call: StoreCall,
): Promise<ResumeState> {
  const chain = await loadChain(dependencies, session, call);
  const covered = new Set(chain.marks.flatMap((mark) => mark.packs.map(packKeyOf)));
  const chunks: PlacedChunk[] = [];
  const uncovered: MarkPack[] = [];
  const packs = listUncovered(dependencies, { session, covered }, call);
  const options = { concurrency: 4, signal: call.signal };
  for await (const found of mapConcurrent(packs, options, (pack) => readSealed(dependencies, pack, call))) {
    if (found === undefined) continue;
    uncovered.push(found.pack);
    for (const entry of found.entries) {
      if (entry.kind === itemKinds.chunk) chunks.push(placeChunk(found.address, entry));
    }
  }
  const last = chain.marks.at(-1);
  const places = new Map(chunks.map(({ place, chunk }) => [place, chunk]));
  return {
    frontier: last?.frontier ?? freshStart.frontier,
    continues: chain.continues,
    leaves: chain.marks.flatMap((mark) => mark.leaves),
    packs: [...chain.marks.flatMap((mark) => mark.packs), ...uncovered],
    find: (volume, block) => places.get(`${volume}/${block}`),
    chunks: chunks.map(({ chunk }) => chunk),
  };
}

function packKeyOf(pack: { readonly lane: string; readonly kind: string; readonly number: number }): string {
  return `${pack.kind}/${pack.lane}/${pack.number}`;
}

interface PlacedChunk {
  readonly place: string;
  readonly chunk: ChunkAddress;
}

function placeChunk(pack: PackAddress, entry: FooterEntry): PlacedChunk {
  const { id, offset, length, codec, plainBytes } = entry;
  const { session, lane, number } = pack;
  const chunk = { id, session, lane, pack: number, offset, length, codec };
  return { place: `${entry.volume}/${entry.position}`, chunk: withPlainBytes(chunk, plainBytes) };
}

interface Chain {
  readonly marks: readonly SessionMark[];
  readonly continues: SessionMark["continues"];
}

async function loadChain(
  dependencies: BackupDependencies,
  session: WriterSession,
  call: StoreCall,
): Promise<Chain> {
  const { keys, store } = dependencies;
  const lanes = new Map<string, SessionMark[]>();
  for await (const object of store.list(markPrefix(keys.domain, session.sessionId), call)) {
    const name = parseMarkName(object.key);
    if (name === undefined) continue;
    const marks = lanes.get(name.lane) ?? [];
    lanes.set(name.lane, marks);
    if (marks.length !== name.number) continue;
    const mark = await readMark(dependencies, markName(keys.domain, name), call);
    if (mark !== undefined) marks.push(mark);
  }
  let best: Chain = { marks: [], continues: undefined };
  for (const lane of lanes.keys()) {
    const chain = followChain(lanes, lane);
    if (chain !== undefined && isFurther(chain, best)) best = chain;
  }
  return best;
}

async function readMark(
  dependencies: BackupDependencies,
  name: string,
  call: StoreCall,
): Promise<SessionMark | undefined> {
  try {
    const object = decodeObject(dependencies.keys, name, await dependencies.store.read(name, call));
    return object.kind === "mark" ? decodeMark(object.body, name) : undefined;
  } catch (error) {
    if (!isObjectError(error)) throw error;
    dependencies.logger.warn({ mark: name, code: error.code }, "a mark is not readable and is left aside");
    return undefined;
  }
}

/** A lane's marks with those of the lanes that it went on from in front; nothing when one of these is gone. */
function followChain(lanes: ReadonlyMap<string, readonly SessionMark[]>, lane: string): Chain | undefined {
  const own = lanes.get(lane) ?? [];
  const continues = own.length === 0 ? undefined : { lane, number: own.length - 1 };
  let marks = own;
  const passed = new Set([lane]);
  for (let from = own[0]?.continues; from !== undefined;) {
    const before = lanes.get(from.lane);
    if (before === undefined || before.length <= from.number || passed.has(from.lane)) return undefined;
    passed.add(from.lane);
    marks = [...before.slice(0, from.number + 1), ...marks];
    from = before[0]?.continues;
  }
  return { marks, continues };
}

function isFurther(left: Chain, right: Chain): boolean {
  const [a, b] = [left.marks.at(-1)?.frontier, right.marks.at(-1)?.frontier];
  if (a === undefined || b === undefined) return a !== undefined;
  return a.volume !== b.volume ? a.volume > b.volume : a.leaf > b.leaf;
}

interface ListedPack {
  readonly address: PackAddress;
  readonly object: StoredObject;
}

async function* listUncovered(
  dependencies: BackupDependencies,
  wanted: { readonly session: WriterSession; readonly covered: ReadonlySet<string> },
  call: StoreCall,
): AsyncGenerator<ListedPack> {
  const { keys, store } = dependencies;
  for await (const object of store.list(packPrefix(keys.domain, "pack", wanted.session.sessionId), call)) {
    const address = parsePackName(object.key);
    if (address !== undefined && !wanted.covered.has(packKeyOf(address))) yield { address, object };
  }
}

async function readSealed(
  dependencies: BackupDependencies,
  listed: ListedPack,
  call: StoreCall,
): Promise<
  | { readonly address: PackAddress; readonly pack: MarkPack; readonly entries: readonly FooterEntry[] }
  | undefined
> {
  const { address } = listed;
  try {
    const { sizeBytes } = listed.object;
    // Only this session's epoch: its chunks are going to be opened with this session's data key.
    const { epoch } = dependencies.keys;
    const entries = await readFooter(dependencies, { address: { ...address, epoch }, sizeBytes }, call);
    const { lane, kind, number } = address;
    return { address, entries, pack: { lane, kind, number, items: entries.length, sizeBytes } };
  } catch (error) {
    if (!isObjectError(error)) throw error;
    dependencies.logger.warn(
      { pack: listed.object.key, code: error.code },
      "a pack is not readable and is left aside",
    );
    return undefined;
  }
}

/** Reads and opens the footer of a stored pack. Throws `object-damaged`, `object-truncated`, `object-malformed`. */
export async function readFooter(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  pack: { readonly address: PackAddress & { readonly epoch?: number }; readonly sizeBytes: number },
  call: StoreCall,
): Promise<readonly FooterEntry[]> {
  const { keys, store } = dependencies;
  const name = packName(keys.domain, pack.address.kind, pack.address);
  const trailerAt = Math.max(0, pack.sizeBytes - packTrailerBytes);
  const trailer = await store.read(name, { ...call, range: { offset: trailerAt, length: packTrailerBytes } });
  const { footerBytes } = readTrailer(trailer, name);
  const range = { offset: Math.max(0, trailerAt - footerBytes), length: footerBytes };
  return decodeFooter(keys, pack.address, await store.read(name, { ...call, range }));
}

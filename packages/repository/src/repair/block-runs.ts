import { blockSizeBytes } from "../disk/block-source.ts";

/** Blocks of a volume that follow each other. */
export interface BlockRun {
  readonly first: number;
  readonly count: number;
}

/** Bytes of a volume. */
export interface ByteSpan {
  readonly offset: number;
  readonly length: number;
}

/** Adds a run behind the others; one that continues the last is joined to it. Runs come in ascending order. */
export function appendRun(runs: BlockRun[], run: BlockRun): void {
  const last = runs.at(-1);
  if (last !== undefined && last.first + last.count >= run.first) {
    const end = Math.max(last.first + last.count, run.first + run.count);
    runs[runs.length - 1] = { first: last.first, count: end - last.first };
  } else runs.push(run);
}

export function joinRuns(runs: readonly BlockRun[]): readonly BlockRun[] {
  const joined: BlockRun[] = [];
  for (const run of [...runs].sort((left, right) => left.first - right.first)) appendRun(joined, run);
  return joined;
}

/** Runs of a volume of so many blocks: a page may cover more than there is. */
export function clipRuns(runs: readonly BlockRun[], blocks: number): readonly BlockRun[] {
  return runs
    .filter(({ first }) => first < blocks)
    .map(({ first, count }) => ({ first, count: Math.min(count, blocks - first) }));
}

export function countBlocks(runs: readonly BlockRun[]): number {
  return runs.reduce((total, run) => total + run.count, 0);
}

/** The bytes that runs of blocks cover in a volume; the last block may lie partly beyond its end. */
export function spansOf(runs: readonly BlockRun[], sizeBytes: number): readonly ByteSpan[] {
  return runs.map(({ first, count }) => {
    const offset = first * blockSizeBytes;
    return { offset, length: Math.min(count * blockSizeBytes, sizeBytes - offset) };
  });
}

/** `0-524287, 1048576-2097151`: at most `most` of them, then how many more there are. */
export function formatSpans(spans: readonly ByteSpan[], most = 8): string {
  const shown = spans.slice(0, most).map(({ offset, length }) => `${offset}-${offset + length - 1}`);
  return spans.length > most ? `${shown.join(", ")} and ${spans.length - most} more` : shown.join(", ");
}

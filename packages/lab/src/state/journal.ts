import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** One change: put (with value) or delete (without), as `[collection, key, value?]`. */
export type JournalEntry = readonly [collection: string, key: string, value?: unknown];

export interface Journal {
  append(entry: JournalEntry): void;
  close(): void;
}

/**
 * Every change is one line, written before the caller goes on; the kernel has it when the process is killed. A line
 * cut short by a crash of the machine can only be the last one and is dropped. Opening rewrites the file without what
 * was replaced or deleted since.
 */
export function openJournal(
  file: string,
  replay: (entry: JournalEntry) => void,
  compacted: () => Iterable<JournalEntry>,
): Journal {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file)) for (const entry of readEntries(file)) replay(entry);
  writeCompacted(file, compacted());
  const descriptor = openSync(file, "a");
  return {
    append(entry) {
      writeWhole(descriptor, `${JSON.stringify(entry)}\n`);
    },
    close() {
      fsyncSync(descriptor);
      closeSync(descriptor);
    },
  };
}

function* readEntries(file: string): Generator<JournalEntry> {
  const lines = readFileSync(file, "utf8").split("\n");
  // The piece after the last line feed is empty, or a line that a crash cut short.
  lines.pop();
  for (const line of lines) {
    if (line !== "") yield JSON.parse(line) as JournalEntry;
  }
}

function writeCompacted(file: string, entries: Iterable<JournalEntry>): void {
  const fresh = `${file}.new`;
  const descriptor = openSync(fresh, "w");
  for (const entry of entries) writeWhole(descriptor, `${JSON.stringify(entry)}\n`);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(fresh, file);
}

function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
}

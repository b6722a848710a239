import type { Collection } from "./collection.ts";
import { openJournal, type Journal, type JournalEntry } from "./journal.ts";
import type { LabState } from "./lab-state.ts";

/** Opens the journal at `file`, or starts an empty one. */
export function openState(file: string): LabState {
  const tables = new Map<string, Map<string, unknown>>();
  const collections = new Map<string, Collection<unknown>>();
  const journal = openJournal(
    file,
    (entry) => applyEntry(tables, entry),
    () => allEntries(tables),
  );
  return {
    collection<Value>(name: string): Collection<Value> {
      let found = collections.get(name);
      if (found === undefined) {
        found = openCollection(name, tableOf(tables, name), journal);
        collections.set(name, found);
      }
      return found as Collection<Value>;
    },
    names: () => [...tables.keys()],
    close: () => journal.close(),
  };
}

function openCollection(name: string, table: Map<string, unknown>, journal: Journal): Collection<unknown> {
  return {
    name,
    get size() {
      return table.size;
    },
    get: (key) => table.get(key),
    has: (key) => table.has(key),
    put(key, value) {
      journal.append([name, key, value]);
      table.set(key, value);
    },
    delete(key) {
      if (!table.has(key)) return false;
      journal.append([name, key]);
      return table.delete(key);
    },
    keys: () => table.keys(),
    values: () => table.values(),
    entries: () => table.entries(),
  };
}

function tableOf(tables: Map<string, Map<string, unknown>>, name: string): Map<string, unknown> {
  let table = tables.get(name);
  if (table === undefined) tables.set(name, (table = new Map()));
  return table;
}

function applyEntry(tables: Map<string, Map<string, unknown>>, [name, key, value]: JournalEntry): void {
  if (value === undefined) tableOf(tables, name).delete(key);
  else tableOf(tables, name).set(key, value);
}

function* allEntries(tables: Map<string, Map<string, unknown>>): Generator<JournalEntry> {
  for (const [name, table] of tables) for (const [key, value] of table) yield [name, key, value];
}

import { seededRandom } from "@garrison/core/random";
import { expect, test } from "vitest";
import { IdTable, idTableBytes } from "./id-table.ts";

const random = seededRandom("id table");
const ids = Array.from({ length: 3000 }, () => random.bytes(32));

test("finds what was added, under the number it was first added with", () => {
  const table = IdTable.withRoomFor(2000);
  for (const [number, id] of ids.slice(0, 2000).entries()) expect(table.add(id, number)).toBe(true);
  expect(table.add(ids[5]!, 77)).toBe(false);
  expect(table.length).toBe(2000);
  for (const [number, id] of ids.entries()) {
    expect(table.has(id)).toBe(number < 2000);
    expect(table.find(id)).toBe(number < 2000 ? number : undefined);
  }
});

test("takes no more than its share, and is empty after it was cleared", () => {
  const table = IdTable.withRoomFor(100);
  const added = ids.filter((id, number) => table.add(id, number));
  expect(added).toHaveLength(192);
  expect(ids.filter((id) => table.has(id))).toEqual(added);
  table.clear();
  expect(ids.some((id) => table.has(id))).toBe(false);
  expect(table.add(ids[2999]!, 1)).toBe(true);
});

test("is seen by whoever has its memory", () => {
  const table = IdTable.withRoomFor(10);
  const other = new IdTable(table.memory);
  table.add(ids[0]!, 4_294_967_295);
  expect(other.find(ids[0]!)).toBe(4_294_967_295);
  expect(other.has(ids[1]!)).toBe(false);
});

test("is small: all hooks of a session take 12 MiB", () => {
  expect(idTableBytes(786_432)).toBe(12 * 1024 * 1024);
});

test("knows ids by their first 8 bytes only: the rest is the asker's to compare", () => {
  const table = IdTable.withRoomFor(10);
  table.add(ids[0]!, 9);
  const twin = new Uint8Array(ids[0]!);
  twin[31]! ^= 1;
  expect(table.find(twin)).toBe(9);
});

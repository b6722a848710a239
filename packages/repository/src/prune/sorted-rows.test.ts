import fc from "fast-check";
import { expect, test } from "vitest";
import { SortedRows } from "./sorted-rows.ts";

test("rows are found by their first column and keep their other ones, however many there are", () => {
  const steps = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 300 }), (gaps, times) => {
      const rows = new SortedRows(3);
      const keys: number[] = [];
      let key = 0;
      for (let at = 0; at < times; at++) {
        for (const gap of gaps) {
          key += gap;
          keys.push(key);
          rows.set(rows.append(key), 2, key * 7);
        }
      }
      expect(rows.length).toBe(keys.length);
      for (const at of [0, Math.floor(keys.length / 2), keys.length - 1]) {
        expect(rows.find(keys[at]!)).toBe(at);
        expect([rows.get(at, 0), rows.get(at, 1), rows.get(at, 2)]).toEqual([keys[at], 0, keys[at]! * 7]);
      }
      const missing = gaps.includes(2) ? keys[gaps.indexOf(2)]! - 1 : 0;
      expect(rows.find(missing)).toBe(-1);
      expect(rows.find(key + 1)).toBe(-1);
    }),
    { numRuns: 60 },
  );
});

test("of rows that begin alike the first one is found", () => {
  const rows = new SortedRows(2);
  for (const key of [1, 4, 4, 4, 9]) rows.append(key);
  expect(rows.find(4)).toBe(1);
});

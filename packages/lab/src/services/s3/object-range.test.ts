import { expect, test } from "vitest";
import { rangeOfPart, rangeOfRequest } from "./object-range.ts";

const ten = { sizeBytes: 10 };

test.each([
  ["bytes=0-3", { start: 0, end: 3 }],
  ["bytes=4-", { start: 4, end: 9 }],
  ["bytes=-3", { start: 7, end: 9 }],
  ["bytes=-30", { start: 0, end: 9 }],
  ["bytes=8-99", { start: 8, end: 9 }],
  ["bytes=5-4", undefined],
  ["bytes=0-1,4-5", undefined],
  ["lines=1-2", undefined],
  [undefined, undefined],
])("%s of ten bytes is %o", (header, expected) => {
  expect(rangeOfRequest(header, ten)).toEqual(expected);
});

test("a range beyond the end, or of an empty object, can't be satisfied", () => {
  for (const header of ["bytes=10-", "bytes=-0", "bytes=99-100"]) {
    expect(() => rangeOfRequest(header, ten)).toThrow(/not satisfiable/);
  }
  expect(() => rangeOfRequest("bytes=0-", { sizeBytes: 0 })).toThrow(/not satisfiable/);
});

test("a part's range starts where the parts before it end", () => {
  const parts = [1, 2, 5].map((number) => ({ number, sizeBytes: number * 10 }));
  expect(rangeOfPart(5, { sizeBytes: 80, parts })).toEqual({ start: 30, end: 79 });
  expect(() => rangeOfPart(3, { sizeBytes: 80, parts })).toThrow(/partnumber/);
});

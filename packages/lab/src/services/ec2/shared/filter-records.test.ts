import { expect, test } from "vitest";
import { filterRecords } from "./filter-records.ts";
import { pageRecords } from "./page-records.ts";

interface Row {
  readonly id: string;
  readonly state: string;
  readonly tags: Readonly<Record<string, string>>;
}

const records: readonly Row[] = [
  { id: "a", state: "running", tags: { Name: "web-1", team: "x" } },
  { id: "b", state: "stopped", tags: { Name: "web-2" } },
  { id: "c", state: "running", tags: { Name: "db*1" } },
];
const table = { state: (record: Row) => record.state };

function ids(...filters: { Name: string; Values?: string[] }[]): string {
  return filterRecords(records, filters, table)
    .map((record) => record.id)
    .join("");
}

test("all filters must pass, and one value of each suffices", () => {
  expect(ids({ Name: "state", Values: ["running", "pending"] })).toBe("ac");
  expect(ids({ Name: "state", Values: ["running"] }, { Name: "tag:team", Values: ["x"] })).toBe("a");
  expect(ids({ Name: "tag-key", Values: ["team"] })).toBe("a");
  expect(ids()).toBe("abc");
});

test("stars and question marks are wildcards unless escaped", () => {
  expect(ids({ Name: "tag:Name", Values: ["web-?"] })).toBe("ab");
  expect(ids({ Name: "tag:Name", Values: ["*1"] })).toBe("ac");
  expect(ids({ Name: "tag:Name", Values: [String.raw`db\*1`] })).toBe("c");
  expect(ids({ Name: "tag:Name", Values: ["web.1"] })).toBe("");
});

test("unknown filters and filters without values are refused", () => {
  expect(() => ids({ Name: "colour", Values: ["red"] })).toThrow("The filter 'colour' is invalid");
  expect(() => ids({ Name: "state" })).toThrow("has no values");
});

test("pages go on behind the last record shown, also when it is gone meanwhile", () => {
  const many = Array.from({ length: 12 }, (_, index) => ({ id: String.fromCharCode(97 + index) }));
  const first = pageRecords(many, { MaxResults: 5 }, (record) => record.id);
  const rest = many.filter((record) => record.id !== "e");
  const second = pageRecords(rest, { MaxResults: 5, NextToken: first.NextToken }, (record) => record.id);
  const third = pageRecords(rest, { MaxResults: 5, NextToken: second.NextToken }, (record) => record.id);
  expect([first, second, third].map((page) => page.items.map((item) => item.id).join(""))).toEqual([
    "abcde",
    "fghij",
    "kl",
  ]);
  expect(third.NextToken).toBeUndefined();
});

test("page sizes below 5 and tokens of nobody's making are refused", () => {
  expect(() => pageRecords(records, { MaxResults: 4 }, (record) => record.id)).toThrow("between 5 and 1000");
  expect(() => pageRecords(records, { NextToken: "Zm9v" }, (record) => record.id)).toThrow("not valid");
});

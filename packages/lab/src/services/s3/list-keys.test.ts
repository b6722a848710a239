import { expect, test } from "vitest";
import { listKeys } from "./list-keys.ts";
import { compareKeys, SortedKeys } from "./sorted-keys.ts";

const all = () => true;
const keys = SortedKeys.from(["b/2", "a", "b/1", "c/x/1", "c/x/2", "d", "b/3", "c/y"]);

test("groups keys under a delimiter and pages over groups", () => {
  const first = listKeys(keys, { prefix: "", delimiter: "/", after: "", maxKeys: 2 }, all);
  expect(first).toEqual({ items: [{ key: "a" }, { commonPrefix: "b/" }], truncated: true, last: "b/" });
  const second = listKeys(keys, { prefix: "", delimiter: "/", after: first.last, maxKeys: 9 }, all);
  expect(second).toEqual({ items: [{ commonPrefix: "c/" }, { key: "d" }], truncated: false, last: "d" });
});

test("a prefix narrows, a page that ends exactly isn't truncated", () => {
  const page = listKeys(keys, { prefix: "c/", delimiter: "/", after: "", maxKeys: 2 }, all);
  expect(page).toEqual({ items: [{ commonPrefix: "c/x/" }, { key: "c/y" }], truncated: false, last: "c/y" });
});

test("walks all keys of a flat bucket in pages of every size", () => {
  const names = Array.from({ length: 100 }, (_, index) => `k${index % 10}/${index}`);
  const sorted = SortedKeys.from(names);
  for (const maxKeys of [1, 3, 7, 100]) {
    const seen: string[] = [];
    let after = "";
    for (;;) {
      const page = listKeys(sorted, { prefix: "", delimiter: "", after, maxKeys }, all);
      seen.push(...page.items.map((item) => ("key" in item ? item.key : item.commonPrefix)));
      if (!page.truncated) break;
      after = page.last;
    }
    expect(seen).toEqual([...names].sort(compareKeys));
  }
});

test("orders by UTF-8 bytes beyond the BMP", () => {
  expect(compareKeys("\u{1f600}", "\uffee")).toBeGreaterThan(0);
  expect(Buffer.compare(Buffer.from("\u{1f600}"), Buffer.from("\uffee"))).toBeGreaterThan(0);
});

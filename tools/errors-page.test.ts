import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { errorTable } from "../packages/core/src/error-table.ts";
import { errorsPage } from "./errors-page.ts";

test("the page of errors is checked in as docs/errors.md (write it anew: node tools/write-errors-page.ts)", () => {
  const page = readFileSync(new URL("../docs/errors.md", import.meta.url), "utf8");
  expect(withoutAlignment(page)).toBe(withoutAlignment(errorsPage()));
});

test("the page of errors has a row for each code of the table, in its order", () => {
  const codes = [...errorsPage().matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map((match) => match[1]);
  expect(codes).toEqual(Object.keys(errorTable));
});

/** A formatter pads the columns of tables; that makes no page stale. */
function withoutAlignment(page: string): string {
  return page.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---");
}

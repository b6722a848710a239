import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { permissionsPage } from "./permissions-page.ts";

it("is checked in as docs/permissions.md (write it anew: node tools/write-permissions-page.ts)", () => {
  const page = readFileSync(new URL("../../../docs/permissions.md", import.meta.url), "utf8");
  expect(withoutAlignment(page)).toBe(withoutAlignment(permissionsPage()));
});

/** A formatter pads the columns of tables; that makes no page stale. */
function withoutAlignment(page: string): string {
  return page.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---");
}

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { permissionsPage } from "./permissions-page.ts";
import { roleCatalogue } from "./role-catalogue.ts";

it("is checked in as docs/permissions.md (write it anew: node tools/write-permissions-page.ts)", () => {
  const page = readFileSync(new URL("../../../docs/permissions.md", import.meta.url), "utf8");
  expect(withoutAlignment(page)).toBe(withoutAlignment(permissionsPage()));
});

it("tells the reason of every grant once, and of what is only planned in a section of its own", () => {
  const [used = "", planned = ""] = permissionsPage().split("\n## Planned\n");
  for (const { operations } of roleCatalogue) {
    for (const { grants, planned: isPlanned } of operations) {
      for (const { why } of grants) expect(`${used}${planned}`).toContain(why);
      if (isPlanned) continue;
      for (const { why, caller } of grants) if (caller === "worker") expect(used).toContain(why);
    }
  }
  expect(used).not.toContain("#### Restore volumes of an EC2 instance");
  expect(planned).toContain("#### Restore volumes of an EC2 instance");
});

/** A formatter pads the columns of tables; that makes no page stale. */
function withoutAlignment(page: string): string {
  return page.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---");
}

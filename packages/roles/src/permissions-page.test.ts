import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { permissionsPage } from "./permissions-page.ts";
import { checkedInProof } from "./proof/checked-in-proof.ts";
import { roleCatalogue } from "./role-catalogue.ts";

it("is checked in as docs/permissions.md (write it anew: node tools/write-permissions-page.ts)", () => {
  const page = readFileSync(new URL("../../../docs/permissions.md", import.meta.url), "utf8");
  expect(withoutAlignment(page)).toBe(withoutAlignment(permissionsPage(checkedInProof)));
});

it("tells the reason of every grant once, and of what is only planned in a section of its own", () => {
  const [used = "", planned = ""] = permissionsPage(checkedInProof).split("\n## Planned\n");
  const operations = roleCatalogue.flatMap((role) => role.operations);
  for (const { why } of operations.flatMap(({ grants }) => grants))
    expect(`${used}${planned}`).toContain(why);
  const lent = operations
    .filter((operation) => operation.planned !== true)
    .flatMap(({ grants }) => grants)
    .filter(({ caller }) => caller === "worker");
  for (const { why } of lent) expect(used).toContain(why);
  expect(used).not.toContain("#### Restore volumes of an EC2 instance");
  expect(planned).toContain("#### Restore volumes of an EC2 instance");
});

it("shows at a glance that nothing that exists can be ended, deleted or passed on without being the installation's or named", () => {
  const [glance = ""] = permissionsPage(checkedInProof).split("\n## How to read the tables\n");
  const [open = ""] = glance.split("\n").filter((line) => line.startsWith("| account and Region only |"));
  expect(open).toContain("BackupSnapshotSources (`ec2:CreateSnapshots`)");
  expect(open).not.toMatch(/Delete|Terminate|Deregister|PassRole|AssumeRole|CreateTags|kms:|s3:/);
});

/** A formatter pads the columns of tables; that makes no page stale. */
function withoutAlignment(page: string): string {
  return page.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---");
}

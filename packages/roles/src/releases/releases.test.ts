import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { roleCatalogue } from "../role-catalogue.ts";
import { snapshotCatalogue, type CatalogueSnapshot, type SnapshotRight } from "./catalogue-snapshot.ts";
import { diffCatalogues } from "./diff-catalogues.ts";
import { formatDiff } from "./format-diff.ts";
import { readSnapshot } from "./read-snapshot.ts";

const { version } = JSON.parse(
  readFileSync(new URL("../../../../package.json", import.meta.url), "utf8"),
) as { version: string };

describe("the snapshot of this version (node tools/write-catalogue-snapshot.ts)", () => {
  const snapshot = readSnapshot(version);

  it("is the running catalogue, or says that its version isn't released", () => {
    const running = snapshotCatalogue(version, roleCatalogue, snapshot.unreleased);
    if (snapshot.unreleased === undefined) expect(snapshot).toEqual(running);
    else expect(snapshot.unreleased).toMatch(/preview|as of/);
  });

  it("holds every right of the running catalogue when it is written anew", () => {
    const { roles } = snapshotCatalogue(version, roleCatalogue);
    for (const role of roleCatalogue) {
      const written = new Set(roles[role.id]?.rights.map(({ action }) => action));
      const granted = role.operations.flatMap(({ grants }) => grants.flatMap(({ actions }) => actions));
      expect([...written].sort()).toEqual([...new Set(granted)].sort());
    }
  });
});

describe("the difference of two catalogues", () => {
  const read: SnapshotRight = { action: "s3:GetObject", resource: "bucket" };
  const write: SnapshotRight = { action: "s3:PutObject", resource: "bucket" };
  const erase: SnapshotRight = { action: "s3:DeleteObject", resource: "bucket", planned: true };
  const snapshot = (
    name: string,
    rights: readonly SnapshotRight[],
    trusts: readonly string[] = ["appliance"],
  ): CatalogueSnapshot => ({
    version: name,
    roles: { repository: { trusts, instanceProfile: false, rights } },
  });

  it("is nothing for the same catalogue", () => {
    const same = readSnapshot("HEAD");
    expect(diffCatalogues(same, same)).toEqual({ from: "HEAD", to: "HEAD", roles: [] });
    expect(formatDiff(diffCatalogues(same, same), [same])).toBe("HEAD and HEAD ask for the same rights.\n");
  });

  it("tells what is added, dropped, under another condition, and used now though it was planned", () => {
    const fenced = { ...read, conditions: { StringEquals: { "s3:prefix": "garrison/" } } };
    const { planned: _, ...used } = erase;
    const before = snapshot("1", [read, write, erase]);
    const after = snapshot("2", [fenced, used, { ...write, resource: "other" }], ["appliance", "ec2"]);
    const diff = diffCatalogues(before, after);
    expect(diff.roles).toEqual([
      {
        role: "repository",
        change: "changed",
        trustsAdded: ["ec2"],
        trustsDropped: [],
        added: [{ ...write, resource: "other" }],
        dropped: [write],
        changed: [{ before: read, after: fenced }],
        nowUsed: [used],
      },
    ]);
    expect(formatDiff(diff, [before, after]))
      .toBe(`From 1 to 2: 2 rights more, 1 less, 1 under other conditions; 0 more are planned, and written only when you ask for them or for a role that has no other work.

repository
  + trusted: ec2
  + s3:PutObject on other
  + s3:DeleteObject on bucket (was planned)
  - s3:PutObject on bucket
  ~ s3:GetObject on bucket: was without condition, is if s3:prefix StringEquals garrison/
`);
  });

  it("tells a new role, and one that is gone", () => {
    const none: CatalogueSnapshot = { version: "0", roles: {} };
    const one = snapshot("1", [read]);
    expect(diffCatalogues(none, one).roles.map(({ change, added }) => [change, added])).toEqual([
      ["new", [read]],
    ]);
    expect(diffCatalogues(one, none).roles.map(({ change, dropped }) => [change, dropped])).toEqual([
      ["gone", [read]],
    ]);
  });

  it("refuses by name a version that is not known", () => {
    expect(() => readSnapshot("9.9.9")).toThrow(
      "9.9.9 is not a version whose catalogue is known: 0.1.0, HEAD",
    );
  });
});

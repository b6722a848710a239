import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@garrison/core/logger";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadOrCreateSetting } from "../settings.ts";
import { openDatabase } from "./open-database.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-database-"));
});
afterEach(() => rm(folder, { recursive: true }));

const open = () => openDatabase({ folder, logger: silentLogger });

it("keeps what was written when it is opened again", async () => {
  {
    await using database = await open();
    await loadOrCreateSetting(database.queries, "installation", () => "first");
  }
  await using again = await open();
  expect(await loadOrCreateSetting(again.queries, "installation", () => "second")).toBe("first");
});

it("makes a database anew whose making was cut short", async () => {
  await mkdir(join(folder, "database"));
  await writeFile(join(folder, "database", "PG_VERSION"), "18\n");
  await writeFile(join(folder, "database.incomplete"), "");
  await using database = await open();
  expect(await loadOrCreateSetting(database.queries, "installation", () => "new")).toBe("new");
  expect(existsSync(join(folder, "database.incomplete"))).toBe(false);
});

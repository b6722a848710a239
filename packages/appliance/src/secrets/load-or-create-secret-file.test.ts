import { mkdtemp, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadOrCreateSecretFile } from "./load-or-create-secret-file.ts";

const folder = () => mkdtemp(join(tmpdir(), "garrison-secret-"));

test("the first start makes the file, readable for its owner only; later ones read it", async () => {
  const path = join(await folder(), "token");
  expect(await loadOrCreateSecretFile(path, () => "first")).toEqual({ text: "first", isNew: true });
  expect(await loadOrCreateSecretFile(path, () => "second")).toEqual({ text: "first", isNew: false });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("an empty file is an error, not an empty secret", async () => {
  const path = join(await folder(), "token");
  await writeFile(path, "");
  await expect(loadOrCreateSecretFile(path, () => "x")).rejects.toMatchObject({
    code: "configuration-invalid",
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { systemClock } from "@garrison/core/clock";
import { silentLogger } from "@garrison/core/logger";
import { seededRandom } from "@garrison/core/random";
import { initRepository } from "@garrison/repository/keys/init-repository";
import { openKeyring } from "@garrison/repository/keys/open-keyring";
import { planRotation } from "@garrison/repository/keys/plan-rotation";
import { rotateKeys } from "@garrison/repository/keys/rotate-keys";
import { openFolderObjectStore } from "@garrison/repository/store/folder-object-store";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CliContext } from "../cli-context.ts";
import { backupImage } from "./backup-image.ts";
import { backupStreamInput } from "./backup-stream.ts";

/** A repository whose keys were rotated while this password was being added: it opens the past only. */
const password = "left out";
const call = { signal: new AbortController().signal };
let folder: string;
let warnings = "";
const context: CliContext = {
  clock: systemClock,
  random: seededRandom(1),
  logger: silentLogger,
  ...call,
  environment: { GARRISON_PASSWORD: password },
  stdout: process.stdout,
  stderr: new Writable({
    write: (text: Buffer, _encoding, done) => {
      warnings += text.toString();
      done();
    },
  }) as NodeJS.WriteStream,
  stdin: process.stdin,
  setExitCode: () => undefined,
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-outdated-"));
  const store = openFolderObjectStore({ folder });
  const dependencies = { store, clock: systemClock, random: seededRandom(2) };
  const secrets = [{ password }, { masterSecret: new Uint8Array(32).fill(7) }];
  await initRepository(dependencies, secrets, call);
  const keyring = await openKeyring(dependencies, { secrets, every: true }, call);
  await rotateKeys(dependencies, { keyring, plan: planRotation(keyring), secrets }, call);
  const after = await openKeyring(dependencies, { secrets, every: true }, call);
  const isPassword = ({ secret }: { readonly secret: number }) => secret === 0;
  const [renewed] = [...after.openedBy].find(([, opening]) => isPassword(opening))!;
  const [former, { bytes }] = [...keyring.openedBy].find(([, opening]) => isPassword(opening))!;
  await store.delete(`key/${renewed}`, call);
  await store.create(`key/${former}`, bytes, call);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const flags = () => ({ repository: pathToFileURL(folder).href, domain: "local", name: "disk" });
const programs: readonly (readonly [string, () => Promise<void>])[] = [
  ["image backup", () => backupImage("/nowhere/disk.img", flags(), context)],
  ["stream backup", () => backupStreamInput(["/nowhere/program"], flags(), context)],
];

test.each(programs)("%s seals nothing with keys that have been replaced", async (_name, backUp) => {
  await expect(backUp()).rejects.toMatchObject({
    code: "keys-outdated",
    message: expect.stringContaining("up to key epoch 1; it has epoch 2"),
  });
  expect(warnings).toContain("this secret was left out of a rotation");
});

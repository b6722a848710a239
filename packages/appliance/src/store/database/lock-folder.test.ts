import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockFolder } from "./lock-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("the lock of the appliance's folder", () => {
  it("keeps a second appliance out while the first one lives, and no longer", async () => {
    const other = spawn(process.execPath, ["-e", "setInterval(() => 0, 1000)", "appliance"]);
    await once(other, "spawn");
    await writeFile(join(folder, "appliance.pid"), `${other.pid}\n`);
    expect(() => lockFolder(folder)).toThrow(`used by the appliance with process id ${other.pid}`);
    other.kill("SIGKILL");
    await once(other, "exit");
    lockFolder(folder)();
  });

  it("is not held by a process that is no appliance, nor by what can't be read", async () => {
    for (const text of ["1\n", "nonsense", ""]) {
      await writeFile(join(folder, "appliance.pid"), text);
      lockFolder(folder)();
    }
  });
});

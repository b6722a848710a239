import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { randomBelow, seededRandom } from "@garrison/core/random";
import type { BlockExport } from "./block-export.ts";
import { openOverlayExport } from "./overlay-export.ts";

const call = { signal: new AbortController().signal };

function memoryExport(content: Buffer): BlockExport {
  return {
    sizeBytes: content.length,
    isWritable: false,
    read: async (offset, length) => new Uint8Array(content.subarray(offset, offset + length)),
    write: () => Promise.reject(new Error("the base was written")),
    close: async () => undefined,
  };
}

async function openOverlay(content: Buffer, limitBytes?: number) {
  const path = join(await mkdtemp(join(tmpdir(), "garrison-overlay-")), "overlay");
  const limit = limitBytes === undefined ? {} : { limitBytes };
  return { path, overlay: await openOverlayExport(memoryExport(content), { path, ...limit }) };
}

test("reads are what was written last, over the base, at any offset and length", async () => {
  const random = seededRandom("overlay");
  const content = Buffer.from(random.bytes(100_001));
  const model = Buffer.from(content);
  const { overlay } = await openOverlay(content);
  for (let step = 0; step < 300; step++) {
    const length = 1 + randomBelow(random, 20_000);
    const offset = randomBelow(random, content.length - length);
    if (randomBelow(random, 2) === 0) {
      const bytes = random.bytes(length);
      model.set(bytes, offset);
      await overlay.write(offset, bytes, call);
    } else {
      const read = await overlay.read(offset, length, call);
      expect(Buffer.compare(read, model.subarray(offset, offset + length)), `step ${step}`).toBe(0);
    }
  }
  await overlay.close();
});

test("writes of two parts of one page at once both count", async () => {
  const { overlay } = await openOverlay(Buffer.alloc(8192));
  await Promise.all([
    overlay.write(0, Buffer.from("left"), call),
    overlay.write(100, Buffer.from("right"), call),
  ]);
  const bytes = Buffer.from(await overlay.read(0, 105, call));
  expect([bytes.toString("latin1", 0, 4), bytes.toString("latin1", 100)]).toEqual(["left", "right"]);
  await overlay.close();
});

test("beyond its limit it is full, and what is there stays", async () => {
  const { overlay } = await openOverlay(Buffer.alloc(64 * 1024), 8192);
  await overlay.write(0, Buffer.alloc(8192, 1), call);
  await expect(overlay.write(40_960, Buffer.from("x"), call)).rejects.toMatchObject({ code: "export-full" });
  expect((await overlay.read(8191, 2, call)).join()).toBe("1,0");
  await overlay.close();
});

test("its file has no name, so that nothing of it outlives the process", async () => {
  const { overlay, path } = await openOverlay(Buffer.alloc(10));
  expect(existsSync(path)).toBe(false);
  await overlay.close();
});

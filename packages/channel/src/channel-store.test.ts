import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "@garrison/core/random";
import { afterAll, describe, expect, test } from "vitest";
import { loadOrCreateChannel, type ChannelStore } from "./channel-store.ts";
import { channelStoreContract } from "./channel-store-contract.ts";
import { fileChannelStore } from "./file-channel-store.ts";
import { memoryChannelStore } from "./memory-channel-store.ts";

const folder = mkdtempSync(join(tmpdir(), "garrison-channel-"));
afterAll(() => rmSync(folder, { recursive: true }));

const signal = new AbortController().signal;
let files = 0;
const newPath = () => join(folder, `channel-${files++}.json`);
const stores: readonly (readonly [string, () => ChannelStore])[] = [
  ["memory", memoryChannelStore],
  ["file", () => fileChannelStore(newPath())],
];

describe.each(stores)("the %s channel store", (_, open) => {
  test.each(channelStoreContract)("$name", ({ run }) => run(open()));
});

test("a file store opened again finds what the last one saved, readable by its owner only", async () => {
  const path = newPath();
  const record = await loadOrCreateChannel(
    { store: fileChannelStore(path), random: seededRandom(1) },
    { signal },
  );
  expect(await fileChannelStore(path).load({ signal })).toEqual(record);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a damaged file is named, not overwritten", async () => {
  const path = newPath();
  writeFileSync(path, '{"revision":1');
  await expect(fileChannelStore(path).load({ signal })).rejects.toMatchObject({
    code: "channel-store-invalid",
  });
});

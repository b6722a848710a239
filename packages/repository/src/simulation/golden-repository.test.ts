import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { silentLogger } from "@garrison/core/logger";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { checkRepository } from "../check/check-repository.ts";
import { openRepository } from "../keys/open-repository.ts";
import { listPoints } from "../point/list-points.ts";
import { restoreVolume, type RestoreDependencies } from "../restore/restore-volume.ts";
import { openMemoryObjectStore } from "../store/memory-object-store.ts";
import { restoreStream } from "../stream/restore-stream.ts";
import { call, fixtureDomain, memoryTarget } from "./engine-fixture.ts";
import { digestBlocks, goldenPassword } from "./golden-repository.ts";
import { memoryWritable } from "./stream-fixture.ts";

/** Repositories as former versions wrote them. They are never written again, and have to open for ever. */
const home = fileURLToPath(new URL("../../golden", import.meta.url));

interface Expected {
  readonly points: readonly {
    readonly sessionId: string;
    readonly series: string;
    /** Absent: an image. */
    readonly kind?: "stream";
    readonly sha256: string;
  }[];
  readonly endedPoint: string;
}

async function openGolden(version: string) {
  const objects = join(home, version, "objects");
  const store = openMemoryObjectStore(new VirtualClock());
  for (const entry of readdirSync(objects, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    await store.create(relative(objects, path), new Uint8Array(readFileSync(path)), call);
  }
  const repository = await openRepository({ store }, { password: goldenPassword }, call);
  const expected = JSON.parse(readFileSync(join(home, version, "expected.json"), "utf8")) as Expected;
  return { store, repository, keys: repository.domainKeys(fixtureDomain), expected };
}

async function digestOf(
  dependencies: RestoreDependencies,
  {
    kind,
    ...point
  }: { readonly series: string; readonly point: string; readonly kind: "stream" | undefined },
): Promise<string> {
  if (kind === "stream") {
    const { target, bytes } = memoryWritable();
    await restoreStream(dependencies, { ...point, target, threads: 0 }, call);
    return createHash("sha256").update(bytes()).digest("hex");
  }
  const target = memoryTarget();
  await restoreVolume(dependencies, { ...point, volumeId: "vol-1", target, threads: 0 }, call);
  return digestBlocks(target.blocks);
}

describe.each(readdirSync(home))("a repository of format %s", (version) => {
  test("opens with its password and lists its points, and no ended one", async () => {
    const { store, keys, expected } = await openGolden(version);
    const listed = await listPoints({ store, keys }, {}, call);
    expect(listed.map(({ sessionId }) => sessionId)).toEqual(
      expected.points.map(({ sessionId }) => sessionId).toSorted(),
    );
  });

  test("gives every point's bytes, moved and rotated ones too", async () => {
    const { store, repository, keys, expected } = await openGolden(version);
    const sessionKeys = (session: string, epoch: number) =>
      repository.sessionDataKey(fixtureDomain, session, epoch);
    const dependencies = { store, keys, sessionKeys, logger: silentLogger };
    for (const { sessionId: point, series, kind, sha256 } of expected.points) {
      const restored = await digestOf(dependencies, { series, point, kind });
      expect(restored, point).toBe(sha256);
    }
  });

  test("is intact to the last block", async () => {
    const { store, repository } = await openGolden(version);
    const plan = { level: "full", domain: fixtureDomain, threads: 0 } as const;
    const damage = [];
    for await (const finding of checkRepository({ store, repository }, plan, call)) {
      if (finding.severity === "damage") damage.push(finding);
    }
    expect(damage).toEqual([]);
  });
});

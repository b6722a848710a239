import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { digestBlocks, goldenPassword } from "../packages/repository/src/simulation/golden-repository.ts";
import { buildSampleRepository } from "../packages/repository/src/simulation/sample-repository.ts";

/**
 * Writes the golden repository of a format version: `node tools/write-golden-repository.ts v1`. What is checked in stays as
 * it is for ever: a new version gets a folder of its own, and the old ones have to open all the same.
 */
const [version] = process.argv.slice(2);
if (version === undefined || !/^v\d+$/.test(version)) {
  process.stderr.write("usage: node tools/write-golden-repository.ts vN\n");
  process.exit(2);
}
const folder = fileURLToPath(new URL(`../packages/repository/golden/${version}`, import.meta.url));
rmSync(folder, { recursive: true, force: true });
const { fixture, points, endedPoint } = await buildSampleRepository("golden", [{ password: goldenPassword }]);
for (const [key, { bytes }] of fixture.objects) {
  const path = join(folder, "objects", key);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}
const expected = points.map(({ sessionId, series, content }) => ({
  sessionId,
  series,
  ...(content instanceof Uint8Array
    ? { kind: "stream", sha256: createHash("sha256").update(content).digest("hex") }
    : { sha256: digestBlocks(content) }),
}));
writeFileSync(
  join(folder, "expected.json"),
  `${JSON.stringify({ points: expected, endedPoint }, null, 2)}\n`,
);

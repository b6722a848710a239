import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatServiceReference, referencePath } from "./service-reference.ts";
import { projectRoot } from "./source-files.ts";

test("the shipped service reference says what the data package says (write it anew with tools/write-service-reference.ts)", async () => {
  const shipped = readFileSync(join(projectRoot, referencePath), "utf8").split("\n");
  const fresh = (await formatServiceReference()).split("\n");
  expect(shipped.length).toBe(fresh.length);
  expect(shipped.filter((line, place) => line !== fresh[place]).map((line) => line.slice(0, 40))).toEqual([]);
});

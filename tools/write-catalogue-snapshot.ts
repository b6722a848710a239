import { readFileSync, writeFileSync } from "node:fs";
import { snapshotCatalogue } from "../packages/roles/src/releases/catalogue-snapshot.ts";
import { roleCatalogue } from "../packages/roles/src/role-catalogue.ts";

/*
 * Writes down what the catalogue is in the version that package.json names: `node tools/write-catalogue-snapshot.ts`
 * for a release; with a text ("the preview of ...") while it isn't one. The formatter lays the file out.
 */
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const file = new URL(`../packages/roles/src/releases/${version}.json`, import.meta.url);
const snapshot = snapshotCatalogue(version, roleCatalogue, process.argv[2]);
writeFileSync(file, `${JSON.stringify(snapshot, null, 2)}\n`);

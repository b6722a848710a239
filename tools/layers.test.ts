import { describe, expect, test } from "vitest";
import { readSourceFiles, type SourceFile } from "./source-files.ts";

/** Who may import whom; docs/architecture.md says why. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  iam: ["core"],
  roles: ["core", "iam"],
  repository: ["core"],
  channel: ["core"],
  api: ["core"],
  aws: ["core", "repository", "roles", "channel"],
  worker: ["core", "repository", "channel", "aws"],
  appliance: ["core", "iam", "roles", "repository", "channel", "api", "aws"],
  cli: ["core", "iam", "roles", "repository", "api", "aws"],
  lab: ["core", "iam"],
};

/** Inside the appliance imports go down: http -> app -> runs, store; only the store knows SQL. */
const applianceFloors: Readonly<Record<string, readonly string[]>> = {
  store: ["http", "app", "runs"],
  runs: ["http", "app"],
  app: ["http"],
};

const importPattern =
  /(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|import\s+"([^"]+)"/g;

function importsOf(file: SourceFile): readonly string[] {
  return [...file.text.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

const files = readSourceFiles("packages", [".ts", ".tsx"]).filter((file) => file.path.includes("/src/"));
const packageOf = (path: string) => path.split("/")[1] ?? "";
/** A test may start the neighbours it is tested with; the rules are about the product. */
const productFiles = files.filter((file) => !file.path.endsWith(".test.ts"));

describe("imports only go down", () => {
  test.each(Object.keys(mayImport))("%s imports only what is below it", (name) => {
    const allowed = new Set([name, ...(mayImport[name] ?? [])].map((other) => `@garrison/${other}`));
    const wrong = productFiles
      .filter((file) => packageOf(file.path) === name)
      .flatMap((file) =>
        importsOf(file)
          .filter(
            (from) => from.startsWith("@garrison/") && !allowed.has(from.split("/").slice(0, 2).join("/")),
          )
          .map((from) => `${file.path} imports ${from}`),
      );
    expect(wrong).toEqual([]);
  });

  test("every package has its place", () => {
    const names = new Set(files.map((file) => packageOf(file.path)));
    expect([...names].filter((name) => !(name in mayImport))).toEqual([]);
  });

  test("only aws and lab know the AWS SDK", () => {
    const wrong = productFiles.filter(
      (file) =>
        !["aws", "lab"].includes(packageOf(file.path)) &&
        importsOf(file).some((from) => from.startsWith("@aws-sdk/") || from.startsWith("@smithy/")),
    );
    expect(wrong.map((file) => file.path)).toEqual([]);
  });

  test("only the appliance's store knows SQL", () => {
    const wrong = productFiles.filter(
      (file) =>
        !file.path.startsWith("packages/appliance/src/store/") &&
        importsOf(file).some((from) => from.startsWith("drizzle-orm") || from === "pg"),
    );
    expect(wrong.map((file) => file.path)).toEqual([]);
  });

  test.each(Object.keys(applianceFloors))("the appliance's %s does not look up", (floor) => {
    const above = applianceFloors[floor] ?? [];
    const wrong = productFiles
      .filter((file) => file.path.startsWith(`packages/appliance/src/${floor}/`))
      .flatMap((file) =>
        importsOf(file)
          .filter((from) => above.some((name) => from.startsWith(`../${name}/`)))
          .map((from) => `${file.path} imports ${from}`),
      );
    expect(wrong).toEqual([]);
  });

  test("the product does not know the lab", () => {
    const wrong = productFiles.filter(
      (file) =>
        packageOf(file.path) !== "lab" && importsOf(file).some((from) => from.startsWith("@garrison/lab")),
    );
    expect(wrong.map((file) => file.path)).toEqual([]);
  });
});

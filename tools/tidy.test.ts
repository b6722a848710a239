import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot, readSourceFiles, type SourceFile } from "./source-files.ts";

const sources = ["packages", "test", "tools", "bench"].flatMap((folder) =>
  readSourceFiles(folder, [".ts", ".tsx"]),
);
const self = "tools/tidy.test.ts";
const product = sources.filter((file) => file.path.includes("/src/") && !file.path.endsWith(".test.ts"));

interface Rule {
  readonly what: string;
  readonly pattern: RegExp;
  readonly files: readonly SourceFile[];
  /** Files in which it is right, with the reason in the rule's own words. */
  readonly except?: RegExp;
}

const rules: readonly Rule[] = [
  {
    what: "unfinished work is an issue, not a mark in the code",
    pattern: /\b(TODO|FIXME|XXX|HACK)\b/,
    files: sources,
  },
  { what: "no test is left out or run alone", pattern: /\.(only|skip|todo)\(/, files: sources },
  {
    what: "types are not silenced",
    pattern: /as any\b|@ts-ignore|@ts-expect-error|oxlint-disable|eslint-disable/,
    files: sources,
  },
  { what: "no path of one machine", pattern: /["'`(\s](\/work|\/farm)\//, files: sources },
  {
    what: "time comes in through the clock",
    pattern: /\bDate\.now\(|new Date\(\)/,
    files: product,
    except: /packages\/core\/src\/clock\.ts$/,
  },
  {
    what: "randomness comes in through the front door",
    pattern: /\bMath\.random\(/,
    files: product,
  },
  {
    what: "the environment is read in config.ts, main.ts and the command line's context only",
    pattern: /process\.env\b/,
    files: product,
    except: /\/(config|main)\.ts$|packages\/lab\/src\/instances\/agent\//,
  },
];

test.each(rules)("$what", ({ pattern, files, except }) => {
  const hits = files
    .filter((file) => file.path !== self && except?.test(file.path) !== true)
    .flatMap((file) =>
      file.text
        .split("\n")
        .flatMap((line, index) => (pattern.test(line) ? [`${file.path}:${index + 1} ${line.trim()}`] : [])),
    );
  expect(hits).toEqual([]);
});

test("files are named in kebab-case", () => {
  const wrong = sources.filter(
    (file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.config)?\.tsx?$/.test(basename(file.path)),
  );
  expect(wrong.map((file) => file.path)).toEqual([]);
});

test("there are no barrels and no folders without a meaning", () => {
  const wrong = sources.filter((file) => /\/(index\.ts|utils?|helpers?|common|misc)(\/|$)/.test(file.path));
  expect(wrong.map((file) => file.path)).toEqual([]);
});

test("every page that the README or another page links to exists", () => {
  const pages = [
    ...readSourceFiles("docs", [".md"]),
    ...readSourceFiles(".", ["README.md", "CONTRIBUTING.md", "SECURITY.md"]),
  ];
  const broken = pages.flatMap((page) =>
    [...page.text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)]
      .map((match) => match[1] ?? "")
      .filter((target) => !existsSync(join(projectRoot, page.path, "..", target)))
      .map((target) => `${page.path} -> ${target}`),
  );
  expect(broken).toEqual([]);
});

test("versions are pinned exactly", () => {
  const manifests = [
    "package.json",
    ...readSourceFiles("packages", ["package.json"]).map((file) => file.path),
  ];
  const loose = manifests.flatMap((path) => {
    const manifest = JSON.parse(readFileSync(join(projectRoot, path), "utf8")) as Record<
      string,
      Record<string, string>
    >;
    const all = {
      ...manifest["dependencies"],
      ...manifest["devDependencies"],
      ...manifest["optionalDependencies"],
    };
    return Object.entries(all)
      .filter(([, version]) => !/^\d+\.\d+\.\d+[\w.-]*$/.test(version))
      .map(([name, version]) => `${path}: ${name}@${version}`);
  });
  expect(loose).toEqual([]);
});

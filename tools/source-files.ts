import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = join(fileURLToPath(import.meta.url), "..", "..");

export interface SourceFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const skippedFolders = new Set(["node_modules", "dist", ".git", ".garrison", "coverage"]);

/** Every file under `folder` whose name ends in one of `endings`, in path order. */
export function readSourceFiles(folder: string, endings: readonly string[]): readonly SourceFile[] {
  return listFiles(join(projectRoot, folder))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => ({ path: relative(projectRoot, path), text: readFileSync(path, "utf8") }));
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !skippedFolders.has(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? listFiles(path) : [path];
    });
}

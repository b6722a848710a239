import { systemClock } from "@garrison/core/clock";
import { describeError, GarrisonError } from "@garrison/core/garrison-error";
import { buildWorkerBundle, type WorkerArchitecture } from "./build-worker-bundle.ts";

/**
 * `node bundle-main.ts <cache folder> [x64|arm64]`: builds the worker's bundle, or finds it built, and prints one JSON
 * line `{"path","sha256","sizeBytes","durationMs"}`. A program of its own since nobody may import the worker.
 */
async function main([cacheDir, architecture = "x64"]: readonly string[]): Promise<number> {
  if (cacheDir === undefined || !isArchitecture(architecture)) {
    process.stderr.write("usage: bundle-main.ts <cache folder> [x64|arm64]\n");
    return 2;
  }
  const stopping = new AbortController();
  process.once("SIGTERM", () => stopping.abort(new GarrisonError("aborted", "stopped by SIGTERM")));
  const startedMs = systemClock.now();
  try {
    const bundle = await buildWorkerBundle({ cacheDir, architecture }, { signal: stopping.signal });
    process.stdout.write(`${JSON.stringify({ ...bundle, durationMs: systemClock.now() - startedMs })}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return 1;
  }
}

function isArchitecture(text: string): text is WorkerArchitecture {
  return text === "x64" || text === "arm64";
}

process.exitCode = await main(process.argv.slice(2));

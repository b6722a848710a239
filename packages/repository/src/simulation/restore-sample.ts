import { isGarrisonError } from "@garrison/core/garrison-error";
import { silentLogger } from "@garrison/core/logger";
import { blockSizeBytes } from "../disk/block-source.ts";
import type { BlockTarget } from "../disk/block-target.ts";
import type { OpenBlockCrew } from "../blocks/block-crew.ts";
import { openRepository } from "../keys/open-repository.ts";
import type { RepositorySecret } from "../keys/repository-secret.ts";
import { restoreVolume, type RestoreDependencies } from "../restore/restore-volume.ts";
import { restoreStream } from "../stream/restore-stream.ts";
import { call, fixtureDomain } from "./engine-fixture.ts";
import type { SamplePoint, SampleRepository } from "./sample-repository.ts";
import { memoryWritable } from "./stream-fixture.ts";

/** `right`, `WRONG BYTES` (what must never come), or the code of the error. */
export type RestoreOutcome = string;

/**
 * Opens the repository of a sample with each of its secrets in turn, until one opens it, and restores every point. An error
 * that has no name is thrown.
 */
export async function restoreSample(
  sample: SampleRepository,
  options: { readonly secrets: readonly RepositorySecret[]; readonly openCrew: OpenBlockCrew },
): Promise<readonly RestoreOutcome[]> {
  const { store } = sample.fixture;
  const { openCrew } = options;
  let refusal = "";
  for (const secret of options.secrets) {
    try {
      const repository = await openRepository({ store }, secret, call);
      const keys = repository.domainKeys(fixtureDomain);
      const sessionKeys = (session: string, epoch: number) =>
        repository.sessionDataKey(fixtureDomain, session, epoch);
      const dependencies = { store, keys, sessionKeys, openCrew, logger: silentLogger };
      const outcomes: RestoreOutcome[] = [];
      for (const point of sample.points) outcomes.push(await restorePoint(dependencies, point));
      return outcomes;
    } catch (error) {
      refusal = codeOf(error);
    }
  }
  return sample.points.map(() => refusal);
}

async function restorePoint(dependencies: RestoreDependencies, point: SamplePoint): Promise<RestoreOutcome> {
  const { series, sessionId, content } = point;
  const plan = { series, point: sessionId, threads: 0 };
  try {
    if (content instanceof Uint8Array) {
      const { target, bytes } = memoryWritable();
      await restoreStream(dependencies, { ...plan, target }, call);
      return bytes().equals(content) ? "right" : "WRONG BYTES";
    }
    const target = comparingTarget(content);
    await restoreVolume(dependencies, { ...plan, volumeId: "vol-1", target }, call);
    return target.isRight() ? "right" : "WRONG BYTES";
  } catch (error) {
    return codeOf(error);
  }
}

/** Compares what is written at once, and keeps none of it. */
function comparingTarget(wanted: ReadonlyMap<number, Uint8Array>): BlockTarget & { isRight(): boolean } {
  const missing = new Set(wanted.keys());
  const zero = Buffer.alloc(blockSizeBytes);
  let isRight = true;
  return {
    isZeroFilled: true,
    isRight: () => isRight && missing.size === 0,
    write: async ({ index, bytes }) => {
      isRight &&= Buffer.compare(bytes, wanted.get(index) ?? zero) === 0;
      missing.delete(index);
    },
    complete: async () => ({ blocksWritten: 0, bytesWritten: 0, linearChecksum: "" }),
    close: async () => undefined,
  };
}

function codeOf(error: unknown): string {
  if (!isGarrisonError(error) || error.code === "internal") throw error;
  return error.code;
}

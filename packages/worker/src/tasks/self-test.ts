import { openEbsSnapshotSource } from "@garrison/aws/ebs-snapshot-source";
import type { ProbeOutcome, SelfTestResult, SelfTestTask } from "@garrison/channel/messages";
import { openDeadline } from "@garrison/core/deadline";
import { describeError, GarrisonError } from "@garrison/core/garrison-error";
import { formatSize, minuteMs } from "@garrison/core/units";
import { openTaskPlaces, type TaskDependencies, type TaskPlaces } from "../open-task-resources.ts";
import type { TaskContext } from "../task-context.ts";

/** An endpoint that can't be reached answers nothing at all, and clients try again for a long time. */
const probeTimeoutMs = 2 * minuteMs;
const probeBytes = 4096;
const longestMessage = 2_000;

/** Reaches for S3 and EBS as a backup would, each by itself, so that one unreachable place doesn't hide another. */
export async function runSelfTest(
  dependencies: TaskDependencies,
  task: SelfTestTask,
  context: TaskContext,
): Promise<SelfTestResult> {
  using places = openTaskPlaces(dependencies, task, context);
  const probing = { dependencies, places, task };
  const [s3, ebs] = await Promise.all([
    probe("S3", context.signal, (signal) => putAndGet(probing, signal)),
    probe("the EBS direct APIs", context.signal, (signal) => listBlocks(probing, signal)),
  ]);
  return { verb: "self-test", s3, ebs };
}

interface Probing {
  readonly dependencies: TaskDependencies;
  readonly places: TaskPlaces;
  readonly task: SelfTestTask;
}

async function probe(
  what: string,
  stop: AbortSignal,
  reach: (signal: AbortSignal) => Promise<string>,
): Promise<ProbeOutcome> {
  using deadline = openDeadline(stop, probeTimeoutMs, `reaching ${what}`);
  try {
    return { isReached: true, message: await reach(deadline.signal) };
  } catch (error) {
    if (stop.aborted) throw error;
    return { isReached: false, message: describeError(error).slice(0, longestMessage) };
  }
}

/** A repeated task meets its own object with other bytes: reading it back proves as much. */
async function putAndGet({ dependencies, places, task }: Probing, signal: AbortSignal): Promise<string> {
  const bytes = dependencies.random.bytes(probeBytes);
  const outcome = await places.store.create(task.objectKey, bytes, { signal });
  const read = await places.store.read(task.objectKey, { signal });
  const isSame = Buffer.compare(read, bytes) === 0;
  if (outcome === "created" && !isSame) {
    throw new GarrisonError("object-damaged", `${task.objectKey} was read with other bytes than were put`);
  }
  return `put ${formatSize(bytes.length)} into the repository and read the same back`;
}

async function listBlocks({ dependencies, places, task }: Probing, signal: AbortSignal): Promise<string> {
  const { clock, random, blockPace: pace } = dependencies;
  const { snapshotId } = task;
  const source = await openEbsSnapshotSource(
    { clients: places.data, clock, random, snapshotId, pace },
    { signal },
  );
  await source.close();
  return `listed ${snapshotId} of ${formatSize(source.sizeBytes)}`;
}

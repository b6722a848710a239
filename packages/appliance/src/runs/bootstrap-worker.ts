import { readFile } from "node:fs/promises";
import { presignObject } from "@garrison/aws/presign-object";
import { readCommandResult, sendShellCommand } from "@garrison/aws/ssm/shell-command";
import { openS3ObjectStore } from "@garrison/aws/s3-object-store";
import { renderBootstrapScript } from "@garrison/channel/render-bootstrap-script";
import { loadOrCreateChannel } from "@garrison/channel/channel-store";
import { publicKeysOf } from "@garrison/channel/peer-identity";
import { parseAnnouncement } from "@garrison/channel/worker-announcement";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { ObjectStore } from "@garrison/repository/store/object-store";
import { openRetryingObjectStore } from "@garrison/repository/store/retrying-object-store";
import { bucketClients, repositoryRole } from "../access/repository-access.ts";
import { openChannelRecord } from "../store/channel-records.ts";
import type { StoredRepository } from "../store/repositories.ts";
import { changeWorker, readWorkerRecord } from "../store/workers.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { StepScope } from "./run-scope.ts";
import { waitUntil } from "./wait-until.ts";
import type { WorkerPlace } from "./worker-place.ts";
import { workerClients, type WorkerRef } from "./worker-ref.ts";

export interface Bootstrap {
  readonly worker: WorkerRef;
  readonly place: WorkerPlace;
  readonly repository: StoredRepository;
}

/** The address is fetched within minutes; it dies with the credentials that signed it anyway. */
const addressLifeSeconds = 3600;
const outputTail = 1_000;

/**
 * Starts the worker's program by Run Command and reads its public keys from that command's output: AWS vouches that they
 * come from the instance that we launched. Repeating it is harmless: the script keeps keys and worker.
 */
export async function bootstrapWorker(
  dependencies: RunDependencies,
  bootstrap: Bootstrap,
  step: StepScope,
): Promise<void> {
  const { queries, clock, limits } = dependencies;
  const { worker, place } = bootstrap;
  const clients = workerClients(dependencies, place);
  const { instanceId = "" } = await readWorkerRecord(queries, worker.workerId);
  const script = await renderScript(dependencies, bootstrap, step);
  const sent = await sendShellCommand(
    clients,
    {
      instanceId,
      script,
      comment: `garrison worker ${worker.workerId}`,
      timeoutSeconds: Math.max(30, Math.round(limits.bootstrapMs / 1000)),
    },
    step,
  );
  const waiting = {
    what: `the bootstrap of worker ${worker.workerId}`,
    timeoutMs: limits.bootstrapMs,
    firstPauseMs: limits.pollFirstMs,
    longestPauseMs: limits.pollLongestMs / 4,
    signal: step.signal,
  };
  const result = await waitUntil(clock, waiting, async (signal) => {
    const current = await readCommandResult(clients, { ...sent, instanceId }, { signal });
    return current.status === "running" ? undefined : current;
  });
  if (result.status === "failed") {
    throw new GarrisonError(
      "worker-not-started",
      `the bootstrap on ${instanceId} ended ${result.detail}: ${result.errorOutput.slice(-outputTail)}`,
    );
  }
  const publicKeys = parseAnnouncement(result.output, worker.workerId);
  await changeWorker(queries, worker.workerId, { publicKeys, status: "ready" });
  await step.log("the worker's program runs and has told its keys", instanceId);
}

async function renderScript(
  dependencies: RunDependencies,
  { worker, place, repository }: Bootstrap,
  step: StepScope,
): Promise<string> {
  const { queries, secrets, random, limits, installation } = dependencies;
  const bundle = await stageBundle(dependencies, repository, step);
  const record = await readWorkerRecord(queries, worker.workerId);
  const store = openChannelRecord(queries, secrets, worker.workerId);
  const { identity } = await loadOrCreateChannel({ store, random }, step);
  return renderBootstrapScript({
    bundleUrl: bundle.url,
    bundleSha256: bundle.sha256,
    installation,
    worker: worker.workerId,
    run: record.runId,
    region: place.account.region,
    appliance: publicKeysOf(identity),
    deadlineMs: record.createdAt.getTime() + limits.workerLifeMs,
  });
}

/** Puts the bundle where workers fetch it, once for each content, and answers an address for it. */
async function stageBundle(
  dependencies: RunDependencies,
  repository: StoredRepository,
  step: StepScope,
): Promise<{ readonly url: string; readonly sha256: string }> {
  const { access, clock, region, bundle } = dependencies;
  const { stagingBucket } = repository;
  if (bundle === undefined) {
    throw new GarrisonError("configuration-invalid", "GARRISON_WORKER_BUNDLE names no worker bundle");
  }
  if (stagingBucket === undefined) {
    throw new GarrisonError("account-incomplete", `repository ${repository.name} names no staging bucket`);
  }
  const clients = bucketClients(access, repository, region);
  const bucket = openS3ObjectStore({ clients, bucket: stagingBucket, prefix: "" });
  const store = openRetryingObjectStore(dependencies, bucket);
  const key = `garrison/worker/${bundle.sha256}.tar.gz`;
  const isThere = await isStored(store, key, step.signal);
  if (!isThere) {
    await store.create(key, await readFile(bundle.path), step);
    await step.log("stored the worker's program in the staging bucket", `s3://${stagingBucket}/${key}`);
  }
  const role = repositoryRole(repository, region);
  const credentials = clients.options.credentials;
  if (credentials === undefined)
    throw new GarrisonError("internal", "the repository's role has no credentials");
  const url = await presignObject(clock, {
    bucket: stagingBucket,
    key,
    region: role.region,
    ...(access.endpoint === undefined ? {} : { endpoint: access.endpoint }),
    expiresInSeconds: addressLifeSeconds,
    credentials,
  });
  return { url, sha256: bundle.sha256 };
}

/** By reading its first byte: the repository's role may get and put there, not list. */
async function isStored(store: ObjectStore, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await store.read(key, { signal, range: { offset: 0, length: 1 } });
    return true;
  } catch (error) {
    // Absent, or unreadable: S3 says the same of both to somebody who may not list.
    if (isGarrisonError(error, "object-missing") || isGarrisonError(error, "store-access-denied"))
      return false;
    throw error;
  }
}

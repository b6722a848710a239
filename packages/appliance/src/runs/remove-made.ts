import { deregisterImage, findOwnImage } from "@garrison/aws/ec2/restored-image";
import { findInstances, terminateInstance } from "@garrison/aws/ec2/instance-state";
import { deleteSnapshot, findSnapshotsByTags } from "@garrison/aws/ec2/instance-snapshots";
import { deleteWorkerQueue, findWorkerQueue } from "@garrison/aws/queues/worker-queues";
import type { AwsClients } from "@garrison/aws/aws-clients";
import { roleOf } from "../access/aws-access.ts";
import { openStoreAt } from "../access/repository-access.ts";
import { readAccount } from "../store/accounts.ts";
import { recordRemoved, type MadeResource } from "../store/made-resources.ts";
import { readRepositoryRecord } from "../store/repositories.ts";
import type { RunDependencies } from "./run-dependencies.ts";

type RemovalDependencies = Pick<
  RunDependencies,
  "queries" | "access" | "clock" | "installation" | "random" | "region"
>;

/** Names an object that a worker is to make: the repository's record, then the key below its prefix. */
export function objectToken(repositoryRecordId: string, key: string): string {
  return `${repositoryRecordId} ${key}`;
}

/**
 * Removes one recorded resource. An intent without an id is looked for by the token that it was to carry: what is found
 * that way was made by us, since the intent was written before the call. Answers what was removed; nothing is left to do
 * afterwards, and doing it twice is harmless.
 */
export async function removeMade(
  dependencies: RemovalDependencies,
  made: MadeResource,
  call: { readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const { queries, access, clock } = dependencies;
  const { kind } = made;
  if (kind === "object") {
    const removed = await removeObject(dependencies, made.token, call);
    await recordRemoved(queries, made.id, new Date(clock.now()));
    return removed;
  }
  const account = await readAccount(queries, made.accountId);
  const clients = access.role({ ...roleOf(account, made.role), region: made.region });
  const ids =
    made.resourceId === undefined
      ? await findByToken(dependencies, { ...made, kind }, { clients, ...call })
      : [made.resourceId];
  for (const id of ids) await removers[kind](clients, id, call);
  await recordRemoved(queries, made.id, new Date(clock.now()));
  return ids;
}

/** A worker made it with rights of the repository's role, or never did: what is there is looked for first. */
async function removeObject(
  dependencies: RemovalDependencies,
  token: string,
  call: { readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const [recordId = "", key = ""] = token.split(" ");
  const store = openStoreAt(dependencies, await readRepositoryRecord(dependencies.queries, recordId));
  const removed: string[] = [];
  for await (const found of store.list(key, call)) {
    if (found.key !== key) continue;
    await store.delete(key, call);
    removed.push(key);
  }
  return removed;
}

type Remove = (clients: AwsClients, id: string, call: { readonly signal: AbortSignal }) => Promise<void>;

const removers: Readonly<Record<Exclude<MadeResource["kind"], "object">, Remove>> = {
  // One call makes several: the intent is named by the call, its fruits are recorded one by one.
  snapshots: deleteSnapshot,
  snapshot: deleteSnapshot,
  worker: terminateInstance,
  instance: terminateInstance,
  queue: deleteWorkerQueue,
  image: deregisterImage,
};

async function findByToken(
  dependencies: Pick<RunDependencies, "installation">,
  made: MadeResource & { readonly kind: Exclude<MadeResource["kind"], "object"> },
  call: { readonly clients: AwsClients; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const { clients } = call;
  const { installation } = dependencies;
  const { token, runId } = made;
  switch (made.kind) {
    case "snapshots":
    case "snapshot": {
      const tags = { "garrison:installation": installation, "garrison:run": runId, "garrison:token": token };
      return (await findSnapshotsByTags(clients, tags, call)).map(({ snapshotId }) => snapshotId);
    }
    case "worker":
    case "instance": {
      const found = await findInstances(clients, { name: "client-token", value: token }, call);
      return found.map(({ instanceId }) => instanceId);
    }
    case "queue":
      return [(await findWorkerQueue(clients, token, call)) ?? []].flat();
    case "image":
      return [(await findOwnImage(clients, token, call))?.imageId ?? []].flat();
  }
}

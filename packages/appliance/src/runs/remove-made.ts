import { deregisterImage, findOwnImage } from "@garrison/aws/ec2/restored-image";
import { findInstances, terminateInstance } from "@garrison/aws/ec2/instance-state";
import { deleteSnapshot, findSnapshotsByTags } from "@garrison/aws/ec2/instance-snapshots";
import { deleteWorkerQueue, findWorkerQueue } from "@garrison/aws/queues/worker-queues";
import type { AwsClients } from "@garrison/aws/aws-clients";
import { roleOf } from "../access/aws-access.ts";
import { readAccount } from "../store/accounts.ts";
import { recordRemoved, type MadeResource } from "../store/made-resources.ts";
import type { RunDependencies } from "./run-dependencies.ts";

/**
 * Removes one recorded resource. An intent without an id is looked for by the token that it was to carry: what is found
 * that way was made by us, since the intent was written before the call. Answers what was removed; nothing is left to do
 * afterwards, and doing it twice is harmless.
 */
export async function removeMade(
  dependencies: Pick<RunDependencies, "queries" | "access" | "clock" | "installation">,
  made: MadeResource,
  call: { readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const { queries, access, clock } = dependencies;
  const account = await readAccount(queries, made.accountId);
  const clients = access.role({ ...roleOf(account, made.role), region: made.region });
  const ids =
    made.resourceId === undefined
      ? await findByToken(dependencies, made, { clients, ...call })
      : [made.resourceId];
  for (const id of ids) await removers[made.kind](clients, id, call);
  await recordRemoved(queries, made.id, new Date(clock.now()));
  return ids;
}

type Remove = (clients: AwsClients, id: string, call: { readonly signal: AbortSignal }) => Promise<void>;

const removers: Readonly<Record<MadeResource["kind"], Remove>> = {
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
  made: MadeResource,
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

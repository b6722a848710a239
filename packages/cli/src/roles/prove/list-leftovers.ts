import { listAll } from "../../appliance/list-all.ts";
import type { ProofBench } from "./proof-bench.ts";

interface LabResources {
  readonly [kind: string]: readonly {
    readonly id: string;
    readonly state?: string;
    readonly tags: Readonly<Record<string, string>>;
  }[];
}

interface LabInventory {
  readonly collections: Readonly<Record<string, { readonly ids: readonly string[] } | undefined>>;
}

const ownTag = "garrison:installation";
const lookAgainMs = 100;

/**
 * What the installation has made in the accounts and still has, besides the snapshots that restore points are built on:
 * whatever carries its tag, and its queues. A restored instance carries no such tag once it is handed over.
 */
export async function listLeftovers(bench: ProofBench, signal: AbortSignal): Promise<readonly string[]> {
  const bases = await listBases(bench, signal);
  const resources = await readSettled(bench, signal);
  const made = Object.entries(resources).flatMap(([kind, found]) =>
    found.filter(({ id, tags }) => ownTag in tags && !bases.has(id)).map(({ id }) => `${id} (${kind})`),
  );
  const { collections } = (await bench.door.read("inventory", signal)) as LabInventory;
  const queues = (collections["sqs-queues"]?.ids ?? []).map((id) => `${id} (queue)`);
  return [...made, ...queues];
}

/** Volumes and network interfaces go with their instance, once it has shut down. */
async function readSettled({ clock, door }: ProofBench, signal: AbortSignal): Promise<LabResources> {
  for (;;) {
    const resources = (await door.read("ec2/resources", signal)) as LabResources;
    const isSettled = (resources["instances"] ?? []).every(({ state }) => state !== "shutting-down");
    if (isSettled) return resources;
    await clock.sleep(lookAgainMs, signal);
  }
}

async function listBases({ api }: ProofBench, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const points = await listAll((cursor) => {
    const query = cursor === undefined ? { limit: 100 } : { limit: 100, cursor };
    return api.call("listPoints", { query }, signal);
  });
  return new Set(points.flatMap(({ volumes }) => volumes.flatMap(({ snapshotId }) => snapshotId ?? [])));
}

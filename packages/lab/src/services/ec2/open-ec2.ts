import { describeError } from "@garrison/core/garrison-error";
import { TokenBucket } from "@garrison/core/token-bucket";
import { createSecretKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { openDisks } from "../../disks/disks.ts";
import type { Lab } from "../../lab.ts";
import type { Ec2Runtime } from "./ec2-runtime.ts";
import { addEc2Routes } from "./admin-routes.ts";
import { defaultEc2Settings, type Ec2Settings } from "./ec2-settings.ts";
import { openEc2Tables, type Ec2Tables } from "./ec2-tables.ts";
import { expireDirectSnapshot } from "./expire-direct-snapshot.ts";
import { acceptPowerOff, finishEnd } from "./instances/end-instance.ts";
import { finishLaunch } from "./instances/start-instance.ts";
import { resumeVpcEndpoints } from "./networks/create-vpc-endpoint.ts";
import { addMissingRouteTables } from "./networks/main-route-table.ts";
import { resumeNatGateways } from "./networks/nat-gateways.ts";
import { completeSnapshot, failSnapshot } from "./snapshots/make-snapshot.ts";
import { fillVolume } from "./volumes/make-volume.ts";

const tokenKeyBytes = 32;

/** Opens EC2's disks and limits, connects it with the machines, and goes on with what a restart interrupted. */
export async function openEc2(lab: Lab, settings: Partial<Ec2Settings> = {}): Promise<Ec2Runtime> {
  const tables = openEc2Tables(lab.state);
  const disks = await openDisks(join(lab.settings.dataDir, "disks"));
  const underWay = new Set<Promise<void>>();
  const buckets = new Map<string, TokenBucket>();
  const runtime: Ec2Runtime = {
    settings: { ...defaultEc2Settings, ...settings },
    disks,
    tables,
    tokenKey: readTokenKey(lab, tables),
    bucket(name, limit) {
      let bucket = buckets.get(name);
      if (bucket === undefined) {
        bucket = new TokenBucket(lab.clock, { capacity: limit.burst, refillPerSecond: limit.perSecond });
        buckets.set(name, bucket);
      }
      return bucket;
    },
    later(delayMs, change) {
      const running = runLater(lab, delayMs, change).finally(() => underWay.delete(running));
      underWay.add(running);
    },
  };
  lab.ec2 = runtime;
  lab.onStop(async () => {
    await Promise.allSettled(underWay);
    await disks.snapshots.close();
  });
  addEc2Routes(lab);
  await removeOrphans(runtime);
  connectMachines(lab);
  addMissingRouteTables(lab);
  resumeInterrupted(lab);
  resumeNatGateways(lab);
  resumeVpcEndpoints(lab);
  return runtime;
}

async function runLater(lab: Lab, delayMs: number, change: () => Promise<void> | void): Promise<void> {
  try {
    await lab.clock.sleep(delayMs, lab.stopping);
    await change();
  } catch (error) {
    if (!lab.stopping.aborted)
      lab.logger.error({ error: describeError(error) }, "an EC2 resource could not change its state");
  }
}

/** Disks whose record is gone: the lab was killed between the two. */
async function removeOrphans({ disks, tables }: Ec2Runtime): Promise<void> {
  for (const id of await disks.volumes.ids()) if (!tables.volumes.has(id)) await disks.volumes.delete(id);
  for (const id of disks.snapshots.ids()) if (!tables.snapshots.has(id)) await disks.snapshots.delete(id);
}

function connectMachines(lab: Lab): void {
  lab.machines.onPowerOff = (instanceId, kind) => acceptPowerOff(lab, instanceId, kind);
  lab.machines.currentTags = (instanceId) => lab.ec2.tables.instances.get(instanceId)?.tags ?? {};
}

function resumeInterrupted(lab: Lab): void {
  const { tables, later, disks, settings } = lab.ec2;
  for (const { instanceId, state, bootable } of tables.instances.values()) {
    // A machine doesn't outlive the lab that started it.
    if (state === "running" && bootable && !lab.machines.isRunning(instanceId)) {
      later(0, () => acceptPowerOff(lab, instanceId, "lost"));
    }
    if (state === "pending") later(0, () => finishLaunch(lab, instanceId));
    if (state === "shutting-down" || state === "stopping")
      later(settings.transitionMs, () => finishEnd(lab, instanceId));
  }
  for (const volume of tables.volumes.values()) {
    if (volume.state === "creating" && volume.attachment === undefined)
      later(0, () => fillVolume(lab, volume));
  }
  for (const snapshot of tables.snapshots.values()) {
    const { snapshotId, direct } = snapshot;
    if (snapshot.state !== "pending") continue;
    if (disks.snapshots.has(snapshotId)) completeSnapshot(lab, snapshotId);
    else if (direct === undefined)
      failSnapshot(lab, snapshotId, "The lab was stopped while it read the volume");
    else later(direct.timeoutMinutes * 60_000, () => expireDirectSnapshot(lab, snapshotId));
  }
}

function readTokenKey(lab: Lab, tables: Ec2Tables): KeyObject {
  const known = tables.secrets.get("token-key");
  if (known !== undefined) return createSecretKey(known, "hex");
  const key = Buffer.from(lab.random.bytes(tokenKeyBytes));
  tables.secrets.put("token-key", key.toString("hex"));
  return createSecretKey(key);
}

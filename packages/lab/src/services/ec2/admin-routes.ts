import { GiB } from "@garrison/core/units";
import type { AdminRequest, Lab } from "../../lab.ts";
import { seedInstance, type SeedInstanceRequest } from "../../seed/seed-instance.ts";
import { endInstance, spotTerminated } from "./instances/end-instance.ts";
import { AwsError } from "../../wire/aws-error.ts";

/**
 * `POST /_lab/seed/instance` makes an instance with given disks, `GET /_lab/volumes/<id>` tells a volume's file,
 * `GET /_lab/ec2/resources` what is there now: terminated instances and what AWS gives every account are left out, so
 * that the same answer before and after a run means that nothing was left behind. `POST /_lab/ec2/interrupt` takes a
 * Spot instance back.
 */
export function addEc2Routes(lab: Lab): void {
  lab.adminRoutes.set("seed/instance", ({ body }) => seedInstance(lab, body as SeedInstanceRequest));
  lab.adminRoutes.set("volumes", (request) => describeVolumeFile(lab, request));
  lab.adminRoutes.set("ec2/interrupt", ({ body }) => interruptSpot(lab, body as SpotInterruption));
  lab.adminRoutes.set("ec2/resources", ({ query }) => listResources(lab, query.get("accountId")));
}

interface SpotInterruption {
  readonly instanceId: string;
  /** Two minutes on AWS. */
  readonly noticeMs?: number;
}

function interruptSpot(lab: Lab, { instanceId, noticeMs = 120_000 }: SpotInterruption): object {
  const { tables } = lab.ec2;
  const instance = tables.instances.get(instanceId);
  if (instance?.spotRequestId === undefined || instance.state !== "running") {
    throw new AwsError("IncorrectInstanceState", `${instanceId} is not a running Spot instance.`, {
      status: 404,
    });
  }
  if (instance.bootable) lab.machines.announceSpotInterruption(instanceId, "terminate");
  lab.ec2.later(noticeMs, () => {
    const current = tables.instances.get(instanceId);
    if (current?.state === "running") endInstance(lab, current, { to: "terminated", reason: spotTerminated });
  });
  return { instanceId, noticeMs };
}

function describeVolumeFile(lab: Lab, { rest }: AdminRequest): object {
  const volumeId = rest.replace(/^\//, "");
  const volume = lab.ec2.tables.volumes.get(volumeId);
  if (volume === undefined) {
    throw new AwsError("InvalidVolume.NotFound", `The volume '${volumeId}' does not exist.`, { status: 404 });
  }
  return {
    volumeId,
    path: lab.ec2.disks.volumes.path(volumeId),
    sizeBytes: volume.sizeGiB * GiB,
    state: volume.state,
    snapshotId: volume.snapshotId,
    attachment: volume.attachment,
  };
}

interface ListedResource {
  readonly id: string;
  readonly accountId: string;
  readonly state?: string;
  readonly tags: Readonly<Record<string, string>>;
}

function listResources(lab: Lab, accountId: string | null): object {
  const { tables } = lab.ec2;
  const list = <Value extends Omit<ListedResource, "id">>(
    entries: Iterable<[string, Value]>,
  ): ListedResource[] =>
    [...entries]
      .filter(([, record]) => accountId === null || record.accountId === accountId)
      .map(([id, record]) => ({
        id,
        accountId: record.accountId,
        ...(record.state === undefined ? {} : { state: record.state }),
        tags: record.tags,
      }));
  const groups = [...tables.securityGroups.entries()].filter(([, group]) => group.groupName !== "default");
  return {
    instances: list(tables.instances.entries()).filter((instance) => instance.state !== "terminated"),
    volumes: list(tables.volumes.entries()),
    snapshots: list(tables.snapshots.entries()),
    images: list(tables.images.entries()),
    networkInterfaces: list(tables.networkInterfaces.entries()),
    securityGroups: list(groups),
    natGateways: list(tables.natGateways.entries()).filter((gateway) => gateway.state !== "deleted"),
    vpcEndpoints: list(tables.vpcEndpoints.entries()),
    keyPairs: list(tables.keyPairs.entries()),
  };
}

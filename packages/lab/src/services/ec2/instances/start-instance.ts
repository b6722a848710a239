import type { Lab } from "../../../lab.ts";
import { attachedVolumes } from "../volumes/find-volume.ts";
import { fillVolume } from "../volumes/make-volume.ts";
import { endInstance, launchFailed, snapshotGone, type EndReason } from "./end-instance.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { describeMachine } from "./describe-machine.ts";

/** pending -> running: makes the volumes that aren't there yet, then boots the machine if the image is bootable. */
export async function finishLaunch(lab: Lab, instanceId: string): Promise<void> {
  const { tables, settings } = lab.ec2;
  const pending = tables.instances.get(instanceId);
  if (pending?.state !== "pending") return;
  const filled = pending.doomed === true ? undefined : fillAttached(lab, pending);
  await Promise.all([filled, lab.clock.sleep(settings.transitionMs, lab.stopping)]);
  // It may have been terminated meanwhile.
  const current = tables.instances.get(instanceId);
  if (current?.state !== "pending") return;
  const failure = launchFailure(lab, current);
  if (failure !== undefined) return void endInstance(lab, current, { to: "terminated", reason: failure });
  const running: InstanceRecord = { ...current, state: "running" };
  tables.instances.put(instanceId, running);
  if (running.bootable) lab.machines.boot(describeMachine(lab, running));
}

/** All at once: each volume takes hold of its snapshot before anything else can happen to it. */
async function fillAttached(lab: Lab, instance: InstanceRecord): Promise<void> {
  const { tables } = lab.ec2;
  const attached = attachedVolumes({ lab }, instance.instanceId, instance.rootDeviceName);
  await Promise.all(
    attached.filter((volume) => volume.state === "creating").map((volume) => fillVolume(lab, volume)),
  );
  for (const { volumeId } of attached) {
    const volume = tables.volumes.get(volumeId);
    if (volume?.attachment === undefined) continue;
    tables.volumes.put(volumeId, { ...volume, attachment: { ...volume.attachment, state: "attached" } });
  }
}

function launchFailure(lab: Lab, instance: InstanceRecord): EndReason | undefined {
  if (instance.doomed === true) return launchFailed;
  const attached = attachedVolumes({ lab }, instance.instanceId, instance.rootDeviceName);
  return attached.some((volume) => volume.state === "error") ? snapshotGone : undefined;
}

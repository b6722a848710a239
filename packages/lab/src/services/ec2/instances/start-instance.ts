import type { Lab } from "../../../lab.ts";
import { attachedVolumes } from "../volumes/find-volume.ts";
import { fillVolume } from "../volumes/make-volume.ts";
import { endInstance, launchFailed } from "./end-instance.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { describeMachine } from "./describe-machine.ts";

/** pending -> running: makes the volumes that aren't there yet, then boots the machine if the image is bootable. */
export async function finishLaunch(lab: Lab, instanceId: string): Promise<void> {
  const { tables } = lab.ec2;
  const pending = tables.instances.get(instanceId);
  if (pending?.state !== "pending") return;
  if (pending.doomed === true)
    return void endInstance(lab, pending, { to: "terminated", reason: launchFailed });
  for (const volume of attachedVolumes({ lab }, instanceId, pending.rootDeviceName)) {
    if (volume.state === "creating") await fillVolume(lab, volume);
    const filled = tables.volumes.get(volume.volumeId);
    if (filled?.attachment !== undefined) {
      tables.volumes.put(volume.volumeId, {
        ...filled,
        state: "in-use",
        attachment: { ...filled.attachment, state: "attached" },
      });
    }
  }
  // It may have been terminated while its disks were filled.
  const current = tables.instances.get(instanceId);
  if (current?.state !== "pending") return;
  const running: InstanceRecord = { ...current, state: "running" };
  tables.instances.put(instanceId, running);
  if (running.bootable) lab.machines.boot(describeMachine(lab, running));
}

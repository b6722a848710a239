import type { PowerOffKind } from "../../../instances/machine-host.ts";
import type { Lab } from "../../../lab.ts";
import { removeVolume } from "../volumes/make-volume.ts";
import { attachedVolumes } from "../volumes/find-volume.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { describeMachine } from "./describe-machine.ts";

export interface EndReason {
  readonly code: string;
  readonly message: string;
}

export const userInitiated: EndReason = {
  code: "Client.UserInitiatedShutdown",
  message: "Client.UserInitiatedShutdown: User initiated shutdown",
};

export const launchFailed: EndReason = {
  code: "Client.InternalError",
  message: "Client.InternalError: Client error on launch",
};

export const snapshotGone: EndReason = {
  code: "Client.InvalidSnapshot.NotFound",
  message: "Client.InvalidSnapshot.NotFound: The specified snapshot was not found",
};

export const spotTerminated: EndReason = {
  code: "Server.SpotInstanceTermination",
  message: "Server.SpotInstanceTermination: Spot instance termination",
};

const instanceInitiated: EndReason = {
  code: "Client.InstanceInitiatedShutdown",
  message: "Client.InstanceInitiatedShutdown: Instance initiated shutdown",
};

const machineLost: EndReason = {
  code: "Server.InternalError",
  message: "Server.InternalError: Internal error",
};

/** -> shutting-down or stopping at once; -> terminated or stopped after the usual delay. */
export function endInstance(
  lab: Lab,
  instance: InstanceRecord,
  end: { readonly to: "terminated" | "stopped"; readonly reason: EndReason },
): InstanceRecord {
  const { tables, settings } = lab.ec2;
  const { instanceId } = instance;
  const user = end.reason === userInitiated;
  const now = new Date(lab.clock.now()).toISOString().slice(0, 19).replace("T", " ");
  const ending: InstanceRecord = {
    ...instance,
    state: end.to === "terminated" ? "shutting-down" : "stopping",
    stateReason: end.reason,
    transitionReason: user ? `User initiated (${now} GMT)` : "",
  };
  tables.instances.put(instanceId, ending);
  lab.machines.terminate(instanceId);
  lab.ec2.later(settings.transitionMs, () => finishEnd(lab, instanceId));
  return ending;
}

/** The second half of `endInstance`; also what a restart of the lab goes on with. */
export async function finishEnd(lab: Lab, instanceId: string): Promise<void> {
  const { tables } = lab.ec2;
  const instance = tables.instances.get(instanceId);
  if (instance?.state === "stopping") {
    tables.instances.put(instanceId, { ...instance, state: "stopped" });
    return;
  }
  if (instance?.state !== "shutting-down") return;
  for (const volume of attachedVolumes({ lab }, instanceId, instance.rootDeviceName)) {
    const { attachment, ...rest } = volume;
    if (attachment!.deleteOnTermination) await removeVolume(lab, volume.volumeId);
    else tables.volumes.put(volume.volumeId, { ...rest, state: "available" });
  }
  releaseInterface(lab, instance);
  const { publicIp: _released, ...left } = instance;
  tables.instances.put(instanceId, { ...left, state: "terminated", endedAtMs: lab.clock.now() });
}

/** A machine ended by itself: its shutdown behaviour decides what becomes of the instance. */
export function acceptPowerOff(lab: Lab, instanceId: string, kind: PowerOffKind): void {
  const instance = lab.ec2.tables.instances.get(instanceId);
  if (instance === undefined || (instance.state !== "running" && instance.state !== "pending")) return;
  if (kind === "reboot") return lab.machines.boot(describeMachine(lab, instance));
  const to = instance.shutdownBehavior === "terminate" ? "terminated" : "stopped";
  endInstance(lab, instance, { to, reason: kind === "lost" ? machineLost : instanceInitiated });
}

function releaseInterface(lab: Lab, instance: InstanceRecord): void {
  const { networkInterfaces } = lab.ec2.tables;
  const nic = networkInterfaces.get(instance.networkInterfaceId);
  if (nic === undefined) return;
  if (nic.attachment?.deleteOnTermination !== false) {
    networkInterfaces.delete(nic.networkInterfaceId);
    return;
  }
  const { attachment: _gone, ...rest } = nic;
  networkInterfaces.put(nic.networkInterfaceId, { ...rest, status: "available" });
}

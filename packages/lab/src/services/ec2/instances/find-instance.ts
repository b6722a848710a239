import type { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { checkIdForm, missingParameter } from "../shared/ec2-errors.ts";
import { MissingResource } from "../shared/missing-resource.ts";
import { isOwned } from "../shared/owned-records.ts";
import type { InstanceRecord } from "./instance-record.ts";

export function findInstance(call: Call, instanceId: string | undefined): InstanceRecord {
  if (instanceId === undefined) throw missingParameter("instanceId");
  checkIdForm(instanceId, "i", "InvalidInstanceID.Malformed");
  const instance = call.lab.ec2.tables.instances.get(instanceId);
  if (!isOwned(call, instance) || isForgotten(call, instance)) throw instanceMissing(instanceId);
  return instance;
}

export function instanceMissing(instanceId: string): AwsError {
  return new MissingResource(
    "InvalidInstanceID.NotFound",
    `The instance ID '${instanceId}' does not exist`,
    instanceId,
  );
}

/** Terminated instances are described for about an hour. */
export function isForgotten(call: Pick<Call, "lab">, instance: InstanceRecord): boolean {
  const { clock, ec2 } = call.lab;
  return (
    instance.endedAtMs !== undefined && clock.now() - instance.endedAtMs > ec2.settings.terminatedShownMs
  );
}

import type { Call, Operation } from "../../wire/operation-handler.ts";
import { checkSpeaker } from "./managed-instances.ts";
import { instanceAccess } from "./send-command.ts";

/**
 * What agents ask besides Run Command: State Manager, inventory, patches, packages. The lab answers as an account where
 * none of these is set up; the calls are there because agents make them and roles are written for them.
 */
const answers: Readonly<Record<string, object>> = {
  ListInstanceAssociations: { Associations: [] },
  UpdateInstanceAssociationStatus: {},
  PutInventory: {},
  PutComplianceItems: {},
};

function answerInstance(name: string): Operation {
  return (input: { readonly InstanceId?: string; readonly ResourceId?: string }, call: Call) => {
    const instanceId = input.InstanceId ?? input.ResourceId ?? "";
    call.authorize({ action: `ssm:${name}`, resources: [instanceAccess(instanceId, call)] });
    checkSpeaker(call, instanceId);
    return answers[name] ?? {};
  };
}

function listAssociations(_input: object, call: Call): object {
  call.authorize({ action: "ssm:ListAssociations", resources: [{ arn: "*", accountId: call.accountId }] });
  return { Associations: [] };
}

export const agentOperations: Readonly<Record<string, Operation>> = {
  ...Object.fromEntries(Object.keys(answers).map((name) => [name, answerInstance(name)])),
  ListAssociations: listAssociations,
};

const namespace = "com.amazonaws.ssm";

/** Schemas of the agent's operations that AWS leaves out of its public model, in the form of the SDK's own. */
export const agentSchemas: Readonly<Record<string, readonly unknown[]>> = {
  UpdateInstanceInformation$: operation("UpdateInstanceInformation", [
    "InstanceId",
    "AgentName",
    "AgentVersion",
    "AgentStatus",
    "PlatformType",
    "PlatformName",
    "PlatformVersion",
    "IPAddress",
    "ComputerName",
    "AvailabilityZone",
    "AvailabilityZoneId",
    "SSMConnectionChannel",
  ]),
  ListInstanceAssociations$: operation("ListInstanceAssociations", ["InstanceId", "MaxResults", "NextToken"]),
  UpdateInstanceAssociationStatus$: operation("UpdateInstanceAssociationStatus", [
    "InstanceId",
    "AssociationId",
  ]),
};

function operation(name: string, members: readonly string[]): readonly unknown[] {
  const input = [3, namespace, `${name}Request`, 0, members, members.map(() => 0)];
  const output = [3, namespace, `${name}Result`, 0, [], []];
  return [9, namespace, name, 0, () => input, () => output];
}

import type { DescribeInstanceInformationCommandInput } from "@aws-sdk/client-ssm";
import type { Lab } from "../../lab.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { instanceKey, type ManagedInstance } from "./command-record.ts";
import { commandStoreOf } from "./command-store.ts";
import { pageOf } from "./pages.ts";
import { instanceAccess } from "./send-command.ts";

/** Two missed heartbeats of five minutes, and a little. */
const lostAfterMs = 11 * 60_000;

export interface UpdateInstanceInformationInput {
  readonly InstanceId?: string;
  readonly AgentVersion?: string;
  readonly AgentStatus?: string;
  readonly PlatformType?: string;
  readonly PlatformName?: string;
  readonly PlatformVersion?: string;
  readonly IPAddress?: string;
  readonly ComputerName?: string;
}

/** An agent's heartbeat, its first being the registration. An instance's credentials speak for that instance only. */
export function updateInstanceInformation(input: UpdateInstanceInformationInput, call: Call) {
  const instanceId = input.InstanceId ?? "";
  call.authorize({ action: "ssm:UpdateInstanceInformation", resources: [instanceAccess(instanceId, call)] });
  checkSpeaker(call, instanceId);
  const { instances } = commandStoreOf(call.lab);
  const key = instanceKey({ accountId: call.accountId, region: call.region, instanceId });
  const nowMs = call.lab.clock.now();
  instances.put(key, {
    instanceId,
    accountId: call.accountId,
    region: call.region,
    registeredMs: instances.get(key)?.registeredMs ?? nowMs,
    lastPingMs: nowMs,
    agentVersion: input.AgentVersion ?? "",
    platformType: input.PlatformType ?? "Linux",
    platformName: input.PlatformName ?? "",
    platformVersion: input.PlatformVersion ?? "",
    ipAddress: input.IPAddress ?? "",
    computerName: input.ComputerName ?? "",
  });
  return {};
}

/** Refuses an instance's role that speaks for another instance, or anybody who isn't an instance. */
export function checkSpeaker(call: Call, instanceId: string): void {
  if (call.principal.instanceId === instanceId) return;
  throw new AwsError("AccessDeniedException", `The credentials are not those of instance ${instanceId}.`, {
    status: 400,
  });
}

export function describeInstanceInformation(input: DescribeInstanceInformationCommandInput, call: Call) {
  call.authorize({
    action: "ssm:DescribeInstanceInformation",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  const filters = [
    ...(input.Filters ?? []).map(({ Key = "", Values = [] }) => ({ key: Key, values: Values })),
    ...(input.InstanceInformationFilterList ?? []).map(({ key = "", valueSet = [] }) => ({
      key,
      values: valueSet,
    })),
  ];
  const found = [...commandStoreOf(call.lab).instances.values()]
    .filter(({ accountId, region }) => accountId === call.accountId && region === call.region)
    .filter((instance) =>
      filters.every(({ key, values }) => values.includes(filterValue(call.lab, instance, key))),
    );
  const { items, NextToken } = pageOf(found, input);
  return {
    InstanceInformationList: items.map((instance) => describeInstance(call.lab, instance)),
    NextToken,
  };
}

function filterValue(lab: Lab, instance: ManagedInstance, key: string): string {
  switch (key) {
    case "InstanceIds":
      return instance.instanceId;
    case "PingStatus":
      return pingStatus(lab, instance);
    case "PlatformTypes":
      return instance.platformType;
    case "AgentVersion":
      return instance.agentVersion;
    case "ResourceType":
      return "EC2Instance";
    default:
      if (key.startsWith("tag:")) return lab.machines.currentTags(instance.instanceId)[key.slice(4)] ?? "";
      throw new AwsError("InvalidFilterKey", `The specified filter key ${key} is not valid.`);
  }
}

function pingStatus(lab: Lab, instance: ManagedInstance): string {
  const connected = commandStoreOf(lab).isListening(instanceKey(instance));
  return connected || lab.clock.now() - instance.lastPingMs < lostAfterMs ? "Online" : "ConnectionLost";
}

function describeInstance(lab: Lab, instance: ManagedInstance) {
  return {
    InstanceId: instance.instanceId,
    PingStatus: pingStatus(lab, instance),
    LastPingDateTime: new Date(instance.lastPingMs),
    AgentVersion: instance.agentVersion,
    IsLatestVersion: true,
    PlatformType: instance.platformType,
    PlatformName: instance.platformName,
    PlatformVersion: instance.platformVersion,
    ResourceType: "EC2Instance",
    IPAddress: instance.ipAddress,
    ComputerName: instance.computerName,
    RegistrationDate: new Date(instance.registeredMs),
    SourceId: instance.instanceId,
    SourceType: "AWS::EC2::Instance",
  };
}

/** Told when an instance is terminated: Systems Manager forgets it. */
export function forgetManagedInstance(
  lab: Lab,
  instance: Pick<ManagedInstance, "accountId" | "region" | "instanceId">,
): void {
  commandStoreOf(lab).instances.delete(instanceKey(instance));
}

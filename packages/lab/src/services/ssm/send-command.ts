import { randomUUID } from "node:crypto";
import type { CancelCommandCommandInput, SendCommandCommandInput } from "@aws-sdk/client-ssm";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call, ResourceAccess } from "../../wire/operation-handler.ts";
import { checkDocument, documentAccess, shellScriptDocument } from "./command-documents.ts";
import { instanceKey, isEnded, type CommandRecord, type ManagedInstance } from "./command-record.ts";
import { describeCommand } from "./command-results.ts";
import { commandStoreOf } from "./command-store.ts";

/** Authorised on the document and on each instance, so that a condition on instance tags holds one back. */
export function sendCommand(input: SendCommandCommandInput, call: Call) {
  const store = commandStoreOf(call.lab);
  const targets = (input.Targets ?? []).map(({ Key = "", Values = [] }) => ({ key: Key, values: Values }));
  const instanceIds = resolveInstances(input.InstanceIds ?? [], targets, call);
  const resources = [
    documentAccess(input.DocumentName ?? "", call),
    ...instanceIds.map((id) => instanceAccess(id, call)),
  ];
  call.authorize({ action: "ssm:SendCommand", resources });
  if (input.OutputS3BucketName) {
    const arn = `arn:${call.partition}:s3:::${input.OutputS3BucketName}`;
    call.authorize({ action: "ssm:SendCommand", resources: [{ arn, accountId: call.accountId }] });
  }
  const documentName = checkDocument(input.DocumentName ?? "");
  checkRequest(input, targets.length);
  const registered = instanceIds.map((id) => registeredInstance(id, call));
  const command: CommandRecord = {
    commandId: randomUUID(),
    accountId: call.accountId,
    region: call.region,
    documentName,
    comment: input.Comment ?? "",
    parameters: checkParameters(input.Parameters ?? {}),
    instanceIds,
    targets,
    requestedMs: call.lab.clock.now(),
    timeoutSeconds: input.TimeoutSeconds ?? 3600,
    executionTimeoutSeconds: Number(input.Parameters?.["executionTimeout"]?.[0] ?? 3600),
    outputBucket: input.OutputS3BucketName,
    outputPrefix: input.OutputS3KeyPrefix,
  };
  store.commands.put(command.commandId, command);
  for (const instance of registered) invoke(command, instance, call);
  return { Command: describeCommand(store, command) };
}

function invoke(command: CommandRecord, instance: ManagedInstance, call: Call): void {
  const store = commandStoreOf(call.lab);
  store.put({
    commandId: command.commandId,
    instanceId: instance.instanceId,
    accountId: call.accountId,
    region: call.region,
    requestedMs: command.requestedMs,
    status: "Pending",
    statusDetails: "Pending",
    responseCode: -1,
    standardOutput: "",
    standardError: "",
  });
  store.notify(instanceKey(instance));
}

interface Target {
  readonly key: string;
  readonly values: readonly string[];
}

function resolveInstances(instanceIds: readonly string[], targets: readonly Target[], call: Call): string[] {
  const repeated = instanceIds.find((id, index) => instanceIds.indexOf(id) !== index);
  if (repeated !== undefined) {
    throw new AwsError("DuplicateInstanceId", `Duplicate instance id ${repeated}`);
  }
  if (targets.length === 0) return [...instanceIds];
  const named = targets.flatMap(({ key, values }) => (key === "InstanceIds" ? values : []));
  const tagged = targets.filter(({ key }) => key.startsWith("tag:"));
  if (tagged.length === 0) return [...new Set([...instanceIds, ...named])];
  const matching = [...commandStoreOf(call.lab).instances.values()]
    .filter(({ accountId, region }) => accountId === call.accountId && region === call.region)
    .map(({ instanceId }) => instanceId)
    .filter((id) => {
      const tags = call.lab.machines.currentTags(id);
      return tagged.every(({ key, values }) => values.includes(tags[key.slice(4)] ?? ""));
    });
  return [...new Set([...instanceIds, ...named, ...matching])];
}

/** An instance as SSM's authorisation sees it: tags under both of the service's spellings. */
export function instanceAccess(instanceId: string, call: Call): ResourceAccess {
  const tags = call.lab.machines.currentTags(instanceId);
  const context = Object.fromEntries(
    Object.entries(tags).map(([name, value]) => [`ssm:resourceTag/${name}`, value]),
  );
  const arn = `arn:${call.partition}:ec2:${call.region}:${call.accountId}:instance/${instanceId}`;
  return { arn, accountId: call.accountId, tags, context };
}

function registeredInstance(instanceId: string, call: Call): ManagedInstance {
  const key = instanceKey({ accountId: call.accountId, region: call.region, instanceId });
  const instance = commandStoreOf(call.lab).instances.get(key);
  if (instance !== undefined) return instance;
  throw new AwsError(
    "InvalidInstanceId",
    `Instances [[${instanceId}]] not in a valid state for account ${call.accountId}`,
  );
}

function checkRequest(input: SendCommandCommandInput, targetCount: number): void {
  const instanceCount = input.InstanceIds?.length ?? 0;
  const invalid = (message: string) => new AwsError("ValidationException", message);
  if (instanceCount === 0 && targetCount === 0) {
    throw invalid("You must specify instance IDs or targets.");
  }
  if (instanceCount > 50) throw invalid("Member must have length less than or equal to 50: instanceIds");
  const timeout = input.TimeoutSeconds ?? 3600;
  if (timeout < 30 || timeout > 2_592_000) throw invalid("timeoutSeconds must be between 30 and 2592000");
  if ((input.Comment?.length ?? 0) > 100)
    throw invalid("Member must have length less than or equal to 100: comment");
}

function checkParameters(
  parameters: Readonly<Record<string, readonly string[]>>,
): Record<string, readonly string[]> {
  const known: object = shellScriptDocument.parameters;
  const unknown = Object.keys(parameters).find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined)
    throw new AwsError("InvalidParameters", `Parameter ${unknown} is not defined in the document`);
  if ((parameters["commands"]?.length ?? 0) === 0)
    throw new AwsError("InvalidParameters", "Parameter commands is required");
  return { ...parameters };
}

/** Best effort, as on AWS: what hasn't been delivered is cancelled at once, what runs is asked to end. */
export function cancelCommand(input: CancelCommandCommandInput, call: Call) {
  const store = commandStoreOf(call.lab);
  const command = store.commands.get(input.CommandId ?? "");
  const instanceIds = input.InstanceIds?.length ? input.InstanceIds : (command?.instanceIds ?? []);
  const resources = instanceIds.map((id) => instanceAccess(id, call));
  call.authorize({
    action: "ssm:CancelCommand",
    resources: resources.length > 0 ? resources : [{ arn: "*", accountId: call.accountId }],
  });
  if (command === undefined || command.accountId !== call.accountId || command.region !== call.region) {
    throw new AwsError("InvalidCommandId", `Command ${input.CommandId} does not exist.`);
  }
  for (const instanceId of instanceIds) {
    const invocation = store.invocation(command.commandId, instanceId);
    if (invocation === undefined || isEnded(invocation)) continue;
    const pending = invocation.status === "Pending";
    const status = pending ? "Cancelled" : "Cancelling";
    const endedMs = pending ? call.lab.clock.now() : undefined;
    store.put({ ...invocation, status, statusDetails: status, endedMs, cancelRequested: true });
    store.notify(instanceKey(invocation));
  }
  return {};
}

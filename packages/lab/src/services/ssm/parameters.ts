import type {
  DeleteParameterCommandInput,
  DeleteParametersCommandInput,
  DescribeParametersCommandInput,
  GetParameterCommandInput,
  GetParametersByPathCommandInput,
  GetParametersCommandInput,
  PutParameterCommandInput,
} from "@aws-sdk/client-ssm";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call, ResourceAccess } from "../../wire/operation-handler.ts";
import type { Collection } from "../../state/collection.ts";
import { pageOf } from "./pages.ts";
import { publicParameter, publicParameterNames } from "./public-parameters.ts";

export interface ParameterRecord {
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  readonly type: string;
  readonly value: string;
  readonly version: number;
  readonly modifiedMs: number;
  readonly dataType: string;
  readonly description?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

type Owner = Pick<Call, "lab" | "accountId" | "region" | "partition">;

function parametersOf({ lab }: Owner): Collection<ParameterRecord> {
  return lab.state.collection("ssm-parameters");
}

function keyOf({ accountId, region }: Owner, name: string): string {
  return `${accountId}/${region}/${name}`;
}

function bareName(name: string): string {
  const fromArn = /^arn:[^:]*:ssm:[^:]*:\d*:parameter(\/.*)$/.exec(name)?.[1];
  return (fromArn ?? name).replace(/:\d+$/, "");
}

function findParameter(call: Call, name: string): ParameterRecord | undefined {
  const bare = bareName(name);
  return parametersOf(call).get(keyOf(call, bare)) ?? publicParameter(bare, call);
}

function parameterAccess(call: Call, name: string): ResourceAccess {
  const bare = bareName(name);
  const account = bare.startsWith("/aws/") ? "" : call.accountId;
  const path = bare.startsWith("/") ? bare : `/${bare}`;
  const tags = parametersOf(call).get(keyOf(call, bare))?.tags;
  const arn = `arn:${call.partition}:ssm:${call.region}:${account}:parameter${path}`;
  return { arn, accountId: call.accountId, ...(tags ? { tags } : {}) };
}

export function getParameter(input: GetParameterCommandInput, call: Call) {
  const name = input.Name ?? "";
  call.authorize({ action: "ssm:GetParameter", resources: [parameterAccess(call, name)] });
  const found = findParameter(call, name);
  if (found === undefined) throw new AwsError("ParameterNotFound", "");
  return { Parameter: describeParameter(found, call) };
}

export function getParameters(input: GetParametersCommandInput, call: Call) {
  const names = input.Names ?? [];
  if (names.length === 0 || names.length > 10)
    throw new AwsError("ValidationException", "Names must have 1 to 10 members");
  call.authorize({
    action: "ssm:GetParameters",
    resources: names.map((name) => parameterAccess(call, name)),
  });
  const found = names.map((name) => ({ name, parameter: findParameter(call, name) }));
  return {
    Parameters: found.flatMap(({ parameter }) => (parameter ? describeParameter(parameter, call) : [])),
    InvalidParameters: found.flatMap(({ name, parameter }) => (parameter ? [] : name)),
  };
}

export function getParametersByPath(input: GetParametersByPathCommandInput, call: Call) {
  const path = input.Path ?? "";
  call.authorize({ action: "ssm:GetParametersByPath", resources: [parameterAccess(call, path)] });
  const below = path.endsWith("/") ? path : `${path}/`;
  const isBelow = (name: string) =>
    name.startsWith(below) && (input.Recursive === true || !name.slice(below.length).includes("/"));
  const own = [...parametersOf(call).values()].filter(
    ({ accountId, region }) => accountId === call.accountId && region === call.region,
  );
  const shared = publicParameterNames.flatMap((name) => publicParameter(name, call) ?? []);
  const found = [...own, ...shared]
    .filter(({ name }) => isBelow(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const { items, NextToken } = pageOf(found, {
    MaxResults: input.MaxResults ?? 10,
    NextToken: input.NextToken,
  });
  return { Parameters: items.map((parameter) => describeParameter(parameter, call)), NextToken };
}

export function describeParameters(input: DescribeParametersCommandInput, call: Call) {
  call.authorize({ action: "ssm:DescribeParameters", resources: [{ arn: "*", accountId: call.accountId }] });
  const own = [...parametersOf(call).values()].filter(
    ({ accountId, region }) => accountId === call.accountId && region === call.region,
  );
  const { items, NextToken } = pageOf(own, input);
  return {
    Parameters: items.map(({ name, type, version, modifiedMs, description }) => ({
      Name: name,
      Type: type,
      Version: version,
      LastModifiedDate: new Date(modifiedMs),
      ...(description ? { Description: description } : {}),
    })),
    NextToken,
  };
}

export function putParameter(input: PutParameterCommandInput, call: Call) {
  const name = input.Name ?? "";
  call.authorize({ action: "ssm:PutParameter", resources: [parameterAccess(call, name)] });
  if (!/^[A-Za-z0-9_.\-/]{1,1011}$/.test(name) || /^\/?(aws|ssm)/i.test(name)) {
    throw new AwsError(
      "ValidationException",
      `Parameter name: can't be prefixed with "aws" or "ssm", and can only include letters, numbers and .-_/`,
    );
  }
  const earlier = parametersOf(call).get(keyOf(call, name));
  if (earlier !== undefined && !input.Overwrite) {
    throw new AwsError(
      "ParameterAlreadyExists",
      "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
    );
  }
  if (Buffer.byteLength(input.Value ?? "") > 8192)
    throw new AwsError("ValidationException", "Parameter values are at most 8 KB");
  const version = (earlier?.version ?? 0) + 1;
  parametersOf(call).put(keyOf(call, name), {
    name,
    accountId: call.accountId,
    region: call.region,
    type: input.Type ?? earlier?.type ?? "String",
    value: input.Value ?? "",
    version,
    modifiedMs: call.lab.clock.now(),
    dataType: input.DataType ?? "text",
    description: input.Description ?? earlier?.description,
    tags: Object.fromEntries((input.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
  });
  return { Version: version, Tier: "Standard" };
}

export function deleteParameter(input: DeleteParameterCommandInput, call: Call) {
  const name = input.Name ?? "";
  call.authorize({ action: "ssm:DeleteParameter", resources: [parameterAccess(call, name)] });
  if (!parametersOf(call).delete(keyOf(call, name))) throw new AwsError("ParameterNotFound", "");
  return {};
}

export function deleteParameters(input: DeleteParametersCommandInput, call: Call) {
  const names = input.Names ?? [];
  call.authorize({
    action: "ssm:DeleteParameters",
    resources: names.map((name) => parameterAccess(call, name)),
  });
  const outcome = names.map((name) => ({ name, deleted: parametersOf(call).delete(keyOf(call, name)) }));
  return {
    DeletedParameters: outcome.flatMap(({ name, deleted }) => (deleted ? name : [])),
    InvalidParameters: outcome.flatMap(({ name, deleted }) => (deleted ? [] : name)),
  };
}

function describeParameter(parameter: ParameterRecord, call: Call) {
  const { name, type, value, version, modifiedMs, dataType } = parameter;
  return {
    Name: name,
    Type: type,
    Value: value,
    Version: version,
    LastModifiedDate: new Date(modifiedMs),
    ARN: parameterAccess(call, name).arn,
    DataType: dataType,
  };
}

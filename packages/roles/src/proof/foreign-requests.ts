import type { ContextValue, EvaluationRequest } from "@garrison/iam/evaluation-case";
import type { Grant } from "../grant.ts";

/** A request that was allowed, changed in one thing so that it is about something foreign. */
export interface ForeignRequest {
  /** `another account`, `aws:ResourceTag/garrison:installation of another` ... */
  readonly label: string;
  readonly request: EvaluationRequest;
}

const foreignAccount = "333333333333";
const foreignRegion = "eu-west-3";
const foreignName = "somebody-elses";

/**
 * The same call about what the grant does not cover: for every part of its resources and every key of its conditions that
 * narrows something, the request with that one part changed. A grant on every resource without a condition has none.
 */
export function foreignRequests(grant: Grant, request: EvaluationRequest): readonly ForeignRequest[] {
  return [
    ...foreignResources(grant, request),
    ...foreignContexts(grant, request),
    ...foreignRegions(request),
  ];
}

function foreignResources(grant: Grant, request: EvaluationRequest): readonly ForeignRequest[] {
  const { resource } = request.resource;
  const parts = resource.split(":");
  if (parts.length < 6 || grant.resources.includes("*")) return [];
  const named = parts.slice(5).join(":");
  const change = (label: string, at: number, text: string): ForeignRequest[] => {
    const changed = [...parts.slice(0, at), text, ...(at === 5 ? [] : parts.slice(at + 1))].join(":");
    const accountId = at === 4 ? text : request.resource.accountId;
    return [{ label, request: { ...request, resource: { resource: changed, accountId } } }];
  };
  const templates = grant.resources;
  return [
    ...(narrows(templates, "${account}", parts[4])
      ? change("another account's resource", 4, foreignAccount)
      : []),
    ...(isNamed(templates) ? change("a resource of another name", 5, renamed(named)) : []),
  ];
}

/** A template whose variable holds a whole ARN fixes the account too. */
function narrows(templates: readonly string[], variable: string, value: string | undefined): boolean {
  return value !== undefined && value !== "" && templates.every((template) => template.includes(variable));
}

/** Whether the grant asks for certain names, not for every resource of a type. */
function isNamed(templates: readonly string[]): boolean {
  return templates.every((template) => !/^arn:[^:]*:[^:]*:[^:]*:[^:]*:[\w-]+\/\*$/.test(template));
}

function renamed(name: string): string {
  const [first = "", ...rest] = name.split("/");
  return rest.length === 0
    ? `${foreignName}-${first}`
    : `${foreignType(first)}/${foreignName}/${rest.join("/")}`;
}

/** A type (`role`, `parameter`) stays; a bucket is a name like any other. */
function foreignType(first: string): string {
  return /^(role|instance-profile|parameter|document|key)$/.test(first) ? first : `${foreignName}-${first}`;
}

function foreignContexts(grant: Grant, request: EvaluationRequest): readonly ForeignRequest[] {
  const conditions = Object.entries(grant.conditions ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, value]) => ({ operator, key, value })),
  );
  return conditions.flatMap(({ operator, key, value }) => {
    const present = keyOf(request, key);
    const isPresence = operator === "Null";
    const other =
      present === undefined || isPresence
        ? []
        : [{ [present]: foreignValue(operator, request.context?.[present]) }];
    const isVacuous =
      operator.startsWith("ForAllValues:") ||
      operator.endsWith("IfExists") ||
      (isPresence && value !== "false");
    return [
      ...other.map((change) => ({
        label: `another ${key}`,
        request: { ...request, context: { ...request.context, ...change } },
      })),
      ...(isVacuous ? [] : [{ label: `no ${key}`, request: without(request, key) }]),
    ];
  });
}

/** Keys are compared without regard to case. */
function keyOf({ context = {} }: EvaluationRequest, key: string): string | undefined {
  return Object.keys(context).find((one) => one.toLowerCase() === key.toLowerCase());
}

function without(request: EvaluationRequest, key: string): EvaluationRequest {
  const entries = Object.entries(request.context ?? {});
  const context = Object.fromEntries(entries.filter(([one]) => one.toLowerCase() !== key.toLowerCase()));
  return { ...request, context };
}

function foreignValue(operator: string, value: ContextValue | undefined): ContextValue {
  if (operator === "Bool") return String(value) === "true" ? "false" : "true";
  if (operator.startsWith("Arn")) return String(value).replace(/:\d{12}:/, `:${foreignAccount}:`);
  if (operator.startsWith("ForAllValues:")) return [foreignName];
  return foreignName;
}

/** Where the resource tells no Region, the call's own is the fence; a document that names no Regions has none. */
function foreignRegions(request: EvaluationRequest): readonly ForeignRequest[] {
  const parts = request.resource.resource.split(":");
  const region = parts[3] ?? "";
  const context = { ...request.context, "aws:RequestedRegion": foreignRegion };
  if (request.resource.resource === "*")
    return [{ label: "another Region", request: { ...request, context } }];
  if (region === "") return [];
  const resource = [...parts.slice(0, 3), foreignRegion, ...parts.slice(4)].join(":");
  const { accountId } = request.resource;
  return [{ label: "another Region", request: { ...request, resource: { resource, accountId }, context } }];
}

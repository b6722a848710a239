import type { ContextValue, EvaluationCase } from "./evaluation-case.ts";
import {
  principalArn,
  principalType,
  principalUserId,
  readPrincipal,
  type RequestPrincipal,
} from "./request-principal.ts";
import type { VariableSource } from "./text-template.ts";
import { type Truth, unknown } from "./truth.ts";

/** The values of a key, or why there are none. An empty list of values counts as absent, as in AWS. */
export type KeyValues = readonly string[] | "absent" | "unknown";

/** One request, opened for evaluation. */
export interface RequestContext extends VariableSource {
  readonly action: string;
  readonly service: string;
  readonly resource: string;
  readonly resourceAccountId: string;
  readonly principal: RequestPrincipal;
  /** Whether a permissions boundary is attached to the caller; some statements treat such callers differently. */
  readonly hasBoundary: boolean;
  /**
   * Whether a test of unknown context holds. The same test gets the same answer wherever it stands, so that "is" and "is
   * not" can't both fail; unless a world is being supposed (see suppose-worlds.ts) the answer is "unknown".
   */
  ask(test: string): Truth;
  /** The key has to be in lower case. */
  readKey(key: string): KeyValues;
}

export function openRequest({
  request,
  unknownContext,
  permissionBoundaries,
}: EvaluationCase): RequestContext {
  const action = request.action.toLowerCase();
  const principal = readPrincipal(request.principal);
  let given: ReadonlyMap<string, readonly string[]> | undefined;
  const unknownKeys = new Set(unknownContext?.map((key) => key.toLowerCase()));
  const readKey = (key: string): KeyValues => {
    if (unknownKeys.has(key)) return "unknown";
    given ??= readContext(request.context ?? {});
    const values = given.get(key) ?? deriveKey(key, principal, request.resource.accountId);
    return values === undefined || values.length === 0 ? "absent" : values;
  };
  return {
    action,
    service: action.slice(0, Math.max(action.indexOf(":"), 0)),
    resource: request.resource.resource,
    resourceAccountId: request.resource.accountId,
    principal,
    hasBoundary: permissionBoundaries !== undefined,
    ask: () => unknown,
    readKey,
    readVariable: (key) => {
      const values = readKey(key);
      if (values === "unknown" || values === "absent") return values;
      return values.length === 1 ? { value: values[0] as string } : "absent";
    },
  };
}

/** Opened only when a condition or variable asks for a key: many requests are decided without. */
function readContext(
  context: Readonly<Record<string, ContextValue>>,
): ReadonlyMap<string, readonly string[]> {
  const given = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(context)) {
    given.set(key.toLowerCase(), Array.isArray(value) ? value.map(String) : [String(value)]);
  }
  return given;
}

/** Keys that AWS always sends and that the request already tells. */
export const derivedKeys = [
  "aws:PrincipalArn",
  "aws:PrincipalAccount",
  "aws:PrincipalType",
  "aws:PrincipalIsAWSService",
  "aws:PrincipalServiceName",
  "aws:ResourceAccount",
  "aws:userid",
  "aws:username",
] as const;

function deriveKey(
  key: string,
  principal: RequestPrincipal,
  resourceAccountId: string,
): readonly string[] | undefined {
  switch (key) {
    case "aws:principalarn":
      return listOf(principalArn(principal));
    case "aws:principalaccount":
      return listOf(principal.accountId);
    case "aws:principaltype":
      return listOf(principalType(principal));
    case "aws:resourceaccount":
      return listOf(resourceAccountId);
    case "aws:principalisawsservice":
      return principal.kind === "anonymous" ? undefined : [String(principal.kind === "service")];
    case "aws:principalservicename":
      return principal.kind === "service" ? [principal.name] : undefined;
    case "aws:userid":
      return listOf(principalUserId(principal));
    case "aws:username":
      return principal.kind === "user"
        ? [principal.name.slice(principal.name.lastIndexOf("/") + 1)]
        : undefined;
    default:
      return undefined;
  }
}

function listOf(value: string | undefined): readonly string[] | undefined {
  return value === undefined || value === "" ? undefined : [value];
}

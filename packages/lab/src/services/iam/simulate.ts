import { compileAction, listsAction } from "@garrison/iam/action-pattern";
import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationCase, NamedPolicy, OrganizationLevel } from "@garrison/iam/evaluation-case";
import type { ContextEntry, SimulatePolicyResponse } from "@aws-sdk/client-iam";
import type { Call } from "../../wire/operation-handler.ts";
import { contextKeysOf } from "./context-keys.ts";
import { invalidInput } from "./iam-errors.ts";
import { pageOf, type PageInput } from "./iam-page.ts";
import { describeAction, type SimulatedResource } from "./simulation-result.ts";

/** Policies and request of a simulation, whichever operation asked for it. */
export interface Simulation {
  readonly callerArn: string;
  readonly callerAccountId: string;
  readonly identityPolicies: readonly NamedPolicy[];
  readonly permissionBoundaries?: readonly NamedPolicy[];
  readonly serviceControlPolicies?: readonly OrganizationLevel[];
  readonly resourcePolicy?: object;
  readonly resourceOwner: string;
  /** Keys that the simulator knows of the caller; entries of the request win. */
  readonly callerContext: Readonly<Record<string, string | readonly string[]>>;
}

export interface SimulationInput extends PageInput {
  readonly ActionNames?: readonly string[] | undefined;
  readonly ResourceArns?: readonly string[] | undefined;
  readonly ContextEntries?: readonly ContextEntry[] | undefined;
  readonly ResourceHandlingOption?: string | undefined;
}

const actionForm = /^[a-z0-9-]+:[A-Za-z0-9]+$/i;

/** Evaluates each action on each resource; resource policies, RCPs, session and endpoint policies stay out, as on AWS. */
export function simulate(call: Call, simulation: Simulation, input: SimulationInput): SimulatePolicyResponse {
  const actions = input.ActionNames ?? [];
  const stranger = actions.find((action) => !actionForm.test(action));
  if (stranger !== undefined) throw invalidInput(`Invalid Action Name: ${stranger} is not a valid action.`);
  const resourceArns = input.ResourceArns?.length ? input.ResourceArns : ["*"];
  checkHandling(input.ResourceHandlingOption, resourceArns);
  const context = {
    ...simulation.callerContext,
    "aws:CurrentTime": new Date(call.lab.clock.now()).toISOString(),
    ...readEntries(input.ContextEntries),
  };
  const { items, ...page } = pageOf(actions, input);
  const crossAccount =
    simulation.resourcePolicy !== undefined && simulation.resourceOwner !== simulation.callerAccountId;
  const results = items.map((action) => {
    const missing = missingKeys(simulation, action, context);
    const simulated = resourceArns.map((arn) => ({
      ...simulateOne(simulation, { action, arn, context }),
      missing,
    }));
    return describeAction(action, simulated, crossAccount);
  });
  return { EvaluationResults: results, ...page };
}

interface SimulatedRequest {
  readonly action: string;
  readonly arn: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

function simulateOne(
  simulation: Simulation,
  { action, arn, context }: SimulatedRequest,
): Omit<SimulatedResource, "missing"> {
  const {
    callerArn,
    callerAccountId,
    identityPolicies,
    permissionBoundaries,
    serviceControlPolicies,
    resourcePolicy,
  } = simulation;
  const owner = /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(arn)?.[1] ?? simulation.resourceOwner;
  const question: EvaluationCase = {
    request: {
      action,
      resource: { resource: arn, accountId: resourcePolicy === undefined ? callerAccountId : owner },
      principal: callerArn,
      context,
    },
    identityPolicies,
    ...(permissionBoundaries === undefined ? {} : { permissionBoundaries }),
    ...(serviceControlPolicies === undefined ? {} : { serviceControlPolicies }),
    ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
  };
  const result = evaluate(question, { scope: resourcePolicy === undefined ? "identity-side" : "everything" });
  return { arn, question, result };
}

/** Keys that policies name for this action and the request doesn't have. Conditions see them as absent. */
function missingKeys(
  simulation: Simulation,
  action: string,
  context: Readonly<Record<string, unknown>>,
): string[] {
  const present = new Set(Object.keys(context).map((key) => key.toLowerCase()));
  const policies = [...simulation.identityPolicies, ...(simulation.permissionBoundaries ?? [])].map(
    ({ policy }) => policy,
  );
  if (simulation.resourcePolicy !== undefined) policies.push(simulation.resourcePolicy);
  const asked = action.toLowerCase();
  const concerns = ({ Action }: { readonly Action?: string | readonly string[] }): boolean =>
    Action === undefined || listsAction([Action].flat().map(compileAction), asked);
  const keys = policies.flatMap((policy) => contextKeysOf(policy, concerns));
  return [...new Set(keys)].filter(
    (key) => !present.has(key.toLowerCase()) && !derivedKeys.has(key.toLowerCase()),
  );
}

/** Keys that follow from the request itself. */
const derivedKeys = new Set([
  "aws:principalarn",
  "aws:principalaccount",
  "aws:principaltype",
  "aws:resourceaccount",
  "aws:currenttime",
]);

function readEntries(
  entries: readonly ContextEntry[] | undefined,
): Record<string, string | readonly string[]> {
  const output: Record<string, string | readonly string[]> = {};
  for (const { ContextKeyName, ContextKeyValues = [], ContextKeyType } of entries ?? []) {
    if (!ContextKeyName || !ContextKeyType)
      throw invalidInput("A context entry needs ContextKeyName, ContextKeyValues and ContextKeyType.");
    const isList = ContextKeyType.endsWith("List");
    if (!isList && ContextKeyValues.length > 1)
      throw invalidInput(`Context key ${ContextKeyName} of type ${ContextKeyType} takes one value.`);
    output[ContextKeyName] = isList ? ContextKeyValues : (ContextKeyValues[0] ?? "");
  }
  return output;
}

const handlingNeeds: Readonly<Record<string, readonly string[]>> = {
  "EC2-VPC-InstanceStore": ["instance", "image", "security-group", "network-interface"],
  "EC2-VPC-InstanceStore-Subnet": ["instance", "image", "security-group", "network-interface", "subnet"],
  "EC2-VPC-EBS": ["instance", "image", "security-group", "network-interface", "volume"],
  "EC2-VPC-EBS-Subnet": ["instance", "image", "security-group", "network-interface", "subnet", "volume"],
};

function checkHandling(option: string | undefined, resourceArns: readonly string[]): void {
  if (option === undefined) return;
  const needs = handlingNeeds[option];
  if (needs === undefined) throw invalidInput(`Invalid ResourceHandlingOption: ${option}`);
  const missing = needs.filter(
    (type) => !resourceArns.some((arn) => arn.split(":")[5]?.startsWith(`${type}/`)),
  );
  if (missing.length > 0) throw invalidInput(`${option} requires resources of type ${missing.join(", ")}`);
}

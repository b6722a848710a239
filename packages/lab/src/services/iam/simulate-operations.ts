import type {
  PolicyIdentifier,
  SimulateCustomPolicyCommandInput,
  SimulatePrincipalPolicyCommandInput,
} from "@aws-sdk/client-iam";
import type { NamedPolicy } from "@garrison/iam/evaluation-case";
import { callContext } from "../../authorization/global-context.ts";
import { organizationLevels } from "../../authorization/organization-levels.ts";
import { attachedPolicies } from "../../authorization/principal-policies.ts";
import type { CallerPrincipal } from "../../identity/caller-principal.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { checkPolicyDocument } from "./check-policy-document.ts";
import { invalidInput } from "./iam-errors.ts";
import { authorizedSource, type SimulationSource } from "./simulation-source.ts";
import { simulate } from "./simulate.ts";

const maxPolicyText = 131_072;
const maxExclusions = 256;

/** What a user or role may do by its own policies, boundary and SCPs. Session policies and RCPs are never seen. */
export function simulatePrincipalPolicy(input: SimulatePrincipalPolicyCommandInput, call: Call): object {
  const source = authorizedSource(call, "SimulatePrincipalPolicy", input.PolicySourceArn!);
  const callerArn = checkedCaller(input.CallerArn ?? source.holder.arn);
  if (input.ResourcePolicy !== undefined && callerArn.includes(":role/")) {
    throw invalidInput("Simulation of resource-based policies isn't supported for IAM roles.");
  }
  const isExcluded = exclusions(input.PolicyExclusionList, source);
  const { parsed, identity, organization } = call.lab;
  const own = attachedPolicies(identity, parsed, source.holder);
  const inlineNames = new Set(Object.keys(source.holder.inlinePolicies));
  const kept = own.identityPolicies.filter(
    ({ name = "" }) => !isExcluded(name, inlineNames.has(name) ? "inline" : "managed"),
  );
  const given = input.PermissionsBoundaryPolicyInputList?.map((text, index) =>
    inputPolicy(call, text, `PermissionsBoundaryPolicyInputList.${index + 1}`),
  );
  const attachedBoundary = own.permissionBoundaries?.filter(({ name = "" }) => !isExcluded(name, "boundary"));
  const boundaries = given?.length ? given : attachedBoundary;
  const scps = organizationLevels(organization, parsed, {
    accountId: source.holder.accountId,
    type: "SERVICE_CONTROL_POLICY",
  });
  return simulate(
    call,
    {
      callerArn,
      callerAccountId: callerArn.split(":")[4] ?? "",
      identityPolicies: [
        ...kept.map((policy) => sourceNamed(policy, source, inlineNames)),
        ...inputPolicies(call, input.PolicyInputList),
      ],
      ...(boundaries?.length ? { permissionBoundaries: boundaries } : {}),
      ...(scps === undefined || isExcluded("", "scp") ? {} : { serviceControlPolicies: scps }),
      ...(input.ResourcePolicy === undefined ? {} : { resourcePolicy: parsed.parse(input.ResourcePolicy) }),
      resourceOwner: input.ResourceOwner ?? source.holder.accountId,
      callerContext: simulatedCallerContext(call, source),
    },
    input,
  );
}

export function simulateCustomPolicy(input: SimulateCustomPolicyCommandInput, call: Call): object {
  call.authorize({
    action: "iam:SimulateCustomPolicy",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  const callerArn = checkedCaller(
    input.CallerArn ?? `arn:${call.partition}:iam::${call.accountId}:user/simulated`,
  );
  if (input.ResourcePolicy !== undefined && input.CallerArn === undefined)
    throw invalidInput("CallerArn is required with a ResourcePolicy.");
  const boundaries = input.PermissionsBoundaryPolicyInputList?.map((text, index) =>
    inputPolicy(call, text, `PermissionsBoundaryPolicyInputList.${index + 1}`),
  );
  const levels = input.OrderedOrganizationPolicyInputList?.map(
    ({ ServiceControlPolicyInputList = [] }, index) => ({
      orgIdentifier: `level ${index + 1}`,
      policies: ServiceControlPolicyInputList.map((text) => ({ policy: call.lab.parsed.parse(text) })),
    }),
  );
  const callerAccountId = callerArn.split(":")[4] ?? "";
  return simulate(
    call,
    {
      callerArn,
      callerAccountId,
      identityPolicies: inputPolicies(call, input.PolicyInputList),
      ...(boundaries?.length ? { permissionBoundaries: boundaries } : {}),
      ...(levels?.length ? { serviceControlPolicies: levels } : {}),
      ...(input.ResourcePolicy === undefined
        ? {}
        : { resourcePolicy: call.lab.parsed.parse(input.ResourcePolicy) }),
      resourceOwner: input.ResourceOwner ?? callerAccountId,
      callerContext: {},
    },
    input,
  );
}

function checkedCaller(arn: string): string {
  if (!/^arn:[^:]+:iam::\d{12}:(user|role|group)\/.+$/.test(arn)) {
    throw invalidInput(`Invalid caller: ${arn} is not the ARN of an IAM user, group or role.`);
  }
  return arn;
}

function inputPolicies(call: Call, texts: readonly string[] | undefined): NamedPolicy[] {
  return (texts ?? []).map((text, index) => inputPolicy(call, text, `PolicyInputList.${index + 1}`));
}

function inputPolicy(call: Call, text: string, name: string): NamedPolicy {
  if (text.length > maxPolicyText)
    throw new AwsError("ValidationError", `${name} has more than ${maxPolicyText} characters.`);
  try {
    checkPolicyDocument(text, "identity");
  } catch (error) {
    throw invalidInput(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return { name, policy: call.lab.parsed.parse(text) };
}

/** Inline policies are named after their holder, managed ones by their own name. */
function sourceNamed(
  policy: NamedPolicy,
  { kind, name }: SimulationSource,
  inlineNames: ReadonlySet<string>,
): NamedPolicy {
  return inlineNames.has(policy.name ?? "") ? { ...policy, name: `${kind}_${name}_${policy.name!}` } : policy;
}

/** The simulator knows who the principal is, but nothing of a request: no address, no tags of resources. */
function simulatedCallerContext(
  call: Call,
  { holder, kind, name }: SimulationSource,
): Record<string, string | readonly string[]> {
  const { accountId, arn, tags } = holder;
  const base = { accountId, arn, accessKeyId: "", tags };
  const caller: CallerPrincipal =
    kind === "role"
      ? { ...base, type: "role-session", roleArn: arn, userId: "" }
      : { ...base, type: "user", userName: name, userId: "" };
  const facts = { sourceIp: "", userAgent: "", region: "", nowMs: call.lab.clock.now() };
  const all = callContext(call.lab.organization, caller, facts);
  const known = Object.entries(all).filter(([key]) =>
    /^aws:(Principal(Arn|Account|Org|Tag|Type)|username)/.test(key),
  );
  return Object.fromEntries(known);
}

type ExcludedKind = "inline" | "managed" | "boundary" | "scp";

/** Which policies a request leaves out: by type, by ARN, or by the name of an inline policy. */
function exclusions(
  list: readonly PolicyIdentifier[] | undefined,
  source: SimulationSource,
): (name: string, kind: ExcludedKind) => boolean {
  if ((list?.length ?? 0) > maxExclusions)
    throw invalidInput(`PolicyExclusionList takes at most ${maxExclusions} entries.`);
  const types = new Set((list ?? []).map(({ PolicyType }) => String(PolicyType ?? "")));
  const arns = new Set((list ?? []).map(({ PolicyArn }) => PolicyArn ?? ""));
  const inline = new Set(
    (list ?? []).map(({ InlinePolicyIdentifier }) => InlinePolicyIdentifier?.PolicyName ?? ""),
  );
  return (name, kind) => {
    if (kind === "scp") return types.has("scp");
    if (kind === "boundary") return types.has("permission-boundary") || arns.has(name);
    if (kind === "inline") return types.has("inline") || (inline.has(name) && source.name !== "");
    return arns.has(name) || types.has(name.includes(":iam::aws:") ? "aws-managed" : "user-managed");
  };
}

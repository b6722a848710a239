import { evaluate } from "@garrison/iam/evaluate";
import type {
  EvaluationCase,
  EvaluationResult,
  NamedPolicy,
  OrganizationLevel,
} from "@garrison/iam/evaluation-case";
import type { RoleDocuments } from "../export-role.ts";
import { defaultLimits } from "../check-limits.ts";
import type { AccountLimits, EndpointPolicies, PolicyReader } from "../policy-reader.ts";
import type {
  Answer,
  InstanceProfileFacts,
  Prober,
  RoleProbe,
  SimulatedDecision,
  SimulationRequest,
} from "../prober.ts";
import { parseRoleArn, principalArnOf } from "../role-arn.ts";

/** A role as IAM would hold it; tests change it to break a chain. */
export interface MemoryRole {
  readonly arn: string;
  trust: object;
  /** Inline ones by name, attached ones by ARN. */
  identityPolicies: NamedPolicy[];
  permissionBoundaries?: NamedPolicy[];
  profiles: string[];
  /** What IAM still goes by, while a change of the role spreads. */
  before?: Pick<MemoryRole, "trust" | "identityPolicies">;
}

export interface MemoryWorld {
  /** The appliance as STS names it. */
  readonly caller: string;
  /** What the appliance's present credentials were narrowed with; nobody can read it. */
  callerSessionPolicy?: object;
  readonly roles: Map<string, MemoryRole>;
  /** Organisation levels by account. */
  readonly serviceControlPolicies: Map<string, OrganizationLevel[]>;
  readonly resourceControlPolicies: Map<string, OrganizationLevel[]>;
  /** Of buckets and keys, by ARN. */
  readonly resourcePolicies: Map<string, object>;
  /** By subnet. */
  readonly endpointPolicies: Map<string, EndpointPolicies>;
  /** By account; AWS's defaults where absent. */
  readonly limits: Map<string, AccountLimits>;
}

/** Accounts and roles in memory, judged by the evaluator: the port's implementation for tests. */
export function memoryWorld(caller: string): MemoryWorld {
  return {
    caller,
    roles: new Map(),
    serviceControlPolicies: new Map(),
    resourceControlPolicies: new Map(),
    resourcePolicies: new Map(),
    endpointPolicies: new Map(),
    limits: new Map(),
  };
}

/** Puts a role into the world as its documents say. */
export function addRole(world: MemoryWorld, accountId: string, documents: RoleDocuments): MemoryRole {
  const role: MemoryRole = {
    arn: `arn:aws:iam::${accountId}:role/${documents.roleName}`,
    trust: documents.trust,
    identityPolicies: [
      ...documents.inlinePolicies.map(({ document, name }) => ({ name, policy: document })),
      ...documents.managedPolicies.map(({ document, name }) => ({
        name: `arn:aws:iam::${accountId}:policy/${name}`,
        policy: document,
      })),
    ],
    profiles: documents.instanceProfile === undefined ? [] : [documents.instanceProfile.name],
  };
  world.roles.set(role.arn, role);
  return role;
}

export function memoryProber(world: MemoryWorld): Prober {
  return {
    callerIdentity: async () => ({
      outcome: "known",
      value: { arn: world.caller, accountId: world.caller.split(":")[4] ?? "" },
    }),
    assume: async ({ externalId, roleArn }) => {
      const role = world.roles.get(roleArn);
      if (role === undefined) return refused(world.caller, "sts:AssumeRole", roleArn);
      const asked = question(world, principalArnOf(world.caller), {
        action: "sts:AssumeRole",
        resource: roleArn,
      });
      const context = {
        "sts:RoleSessionName": "garrison-check",
        ...(externalId === undefined ? {} : { "sts:ExternalId": externalId }),
      };
      const request = { ...asked.request, principal: world.caller, context };
      const { trust } = role.before ?? role;
      const limits = assumptionLimits(world, roleArn);
      const { decision } = evaluate({ ...asked, request, resourcePolicy: trust, ...limits });
      if (decision !== "Allowed") return refused(world.caller, "sts:AssumeRole", roleArn);
      return { outcome: "known", value: memoryProbe(world, roleArn) };
    },
  };
}

/** What only the real call meets: the target's resource control policies, the session that the caller is in. */
function assumptionLimits(world: MemoryWorld, roleArn: string) {
  const levels = world.resourceControlPolicies.get(parseRoleArn(roleArn).accountId);
  const sessionPolicy = world.callerSessionPolicy;
  return {
    ...(levels === undefined ? {} : { resourceControlPolicies: levels }),
    ...(sessionPolicy === undefined ? {} : { sessionPolicy }),
  };
}

/** Reads everything, as an operator with read rights on IAM and the organisation would. */
export function memoryPolicyReader(world: MemoryWorld): PolicyReader {
  return {
    collect: async (roleArn) => {
      const role = world.roles.get(roleArn);
      if (role === undefined) return { outcome: "missing", message: `${roleArn} does not exist` };
      const { accountId } = parseRoleArn(roleArn);
      const { identityPolicies, permissionBoundaries, trust } = role;
      const levels = world.serviceControlPolicies.get(accountId);
      const resourceLevels = world.resourceControlPolicies.get(accountId);
      const value = {
        roleArn,
        trust,
        identityPolicies,
        gaps: [],
        ...(permissionBoundaries === undefined ? {} : { permissionBoundaries }),
        ...(levels === undefined ? {} : { serviceControlPolicies: levels }),
        ...(resourceLevels === undefined ? {} : { resourceControlPolicies: resourceLevels }),
      };
      return { outcome: "known", value };
    },
    readResourcePolicy: async (arn) => ({ outcome: "known", value: world.resourcePolicies.get(arn) }),
    readEndpointPolicies: async ({ subnetId }) => ({
      outcome: "known",
      value: world.endpointPolicies.get(subnetId) ?? {},
    }),
    readAccountLimits: async (accountId) => ({
      outcome: "known",
      value: world.limits.get(accountId) ?? defaultLimits,
    }),
  };
}

function memoryProbe(world: MemoryWorld, roleArn: string): RoleProbe {
  const session = roleArn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/garrison-check";
  const when = async <Value>(
    action: string,
    resource: string,
    answer: () => Answer<Value>,
  ): Promise<Answer<Value>> => {
    const allowed = decide(world, roleArn, { action, resource }).decision === "Allowed";
    return allowed ? answer() : refused(session, action, resource);
  };
  return {
    getRole: (asked) =>
      when("iam:GetRole", asked, () => {
        const role = world.roles.get(asked);
        if (role === undefined) return { outcome: "missing", message: `${asked} does not exist` };
        return { outcome: "known", value: { arn: asked, trust: role.trust } };
      }),
    listInstanceProfiles: (asked) =>
      when("iam:ListInstanceProfilesForRole", asked, () => ({
        outcome: "known",
        value: (world.roles.get(asked)?.profiles ?? []).map((name) => profileOf(world, asked, name)),
      })),
    getInstanceProfile: (name) => {
      const { accountId } = parseRoleArn(roleArn);
      return when("iam:GetInstanceProfile", `arn:aws:iam::${accountId}:instance-profile/${name}`, () => {
        const holder = [...world.roles.values()].find(
          (role) => role.profiles.includes(name) && role.arn.includes(accountId),
        );
        if (holder === undefined) return { outcome: "missing", message: `no instance profile ${name}` };
        return { outcome: "known", value: profileOf(world, holder.arn, name) };
      });
    },
    simulate: (request) =>
      when("iam:SimulatePrincipalPolicy", request.roleArn, () => ({
        outcome: "known",
        value: request.actions.flatMap((action) =>
          request.resources.map((resource) => simulateOne(world, request, { action, resource })),
        ),
      })),
    contextKeys: (asked) =>
      when("iam:GetContextKeysForPrincipalPolicy", asked, () => ({
        outcome: "known",
        value: keysOf(world, asked),
      })),
  };
}

function profileOf(world: MemoryWorld, roleArn: string, name: string): InstanceProfileFacts {
  const trust = world.roles.get(roleArn)?.trust;
  const role = trust === undefined ? { arn: roleArn } : { arn: roleArn, trust };
  return { arn: roleArn.replace(/:role\/.*/, `:instance-profile/${name}`), name, roles: [role] };
}

function keysOf(world: MemoryWorld, roleArn: string): readonly string[] {
  const policies = world.roles.get(roleArn)?.identityPolicies ?? [];
  const conditions = policies.flatMap(({ policy }) => {
    const { Statement } = policy as { readonly Statement: readonly { readonly Condition?: object }[] };
    return Statement.flatMap(({ Condition }) => Object.values(Condition ?? {}) as object[]);
  });
  return [...new Set(conditions.flatMap((keys) => Object.keys(keys)))];
}

interface Pair {
  readonly action: string;
  readonly resource: string;
}

function simulateOne(world: MemoryWorld, request: SimulationRequest, pair: Pair): SimulatedDecision {
  const result = decide(world, request.roleArn, { ...pair, context: request.context });
  const verdictOf = (layer: string) => result.layers.find((one) => one.layer === layer)?.verdict;
  const denies = ["denies", "does-not-allow"];
  return {
    ...pair,
    decision:
      result.decision === "Allowed"
        ? "allowed"
        : result.decision === "ExplicitlyDenied"
          ? "explicitDeny"
          : "implicitDeny",
    matched: result.matched
      .filter(({ layer }) => layer !== "scp")
      .map(({ layer, policy }) => ({ policy, type: layer })),
    missingContext: [],
    allowedByOrganization: !denies.includes(verdictOf("scp") ?? "allows"),
    allowedByBoundary: !denies.includes(verdictOf("boundary") ?? "allows"),
  };
}

function decide(
  world: MemoryWorld,
  roleArn: string,
  pair: Pair & { readonly context?: SimulationRequest["context"] },
): EvaluationResult {
  const asked = question(world, roleArn, pair);
  return evaluate(
    { ...asked, request: { ...asked.request, context: pair.context ?? {} } },
    { scope: "identity-side" },
  );
}

function question(world: MemoryWorld, roleArn: string, pair: Pair): EvaluationCase {
  const { accountId, roleName } = parseRoleArn(roleArn);
  const role = world.roles.get(roleArn);
  const levels = world.serviceControlPolicies.get(accountId);
  return {
    request: {
      action: pair.action,
      resource: { resource: pair.resource, accountId: pair.resource.split(":")[4] || accountId },
      principal: `arn:aws:sts::${accountId}:assumed-role/${roleName}/garrison-check`,
    },
    identityPolicies: (role?.before ?? role)?.identityPolicies ?? [],
    ...(role?.permissionBoundaries === undefined ? {} : { permissionBoundaries: role.permissionBoundaries }),
    ...(levels === undefined ? {} : { serviceControlPolicies: levels }),
  };
}

function refused(who: string, action: string, resource: string): Answer<never> {
  return { outcome: "refused", message: `${who} is not authorized to perform ${action} on ${resource}` };
}

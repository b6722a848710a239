import { evaluate } from "@garrison/iam/evaluate";
import type { PolicyDocument, StatementDocument } from "@garrison/iam/policy-document";
import type { Excess } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import { dangerousActions, type DangerousAction } from "./dangerous-actions.ts";
import { grantStatement } from "./grant-statement.ts";
import type { Call, RoleProbe } from "./prober.ts";
import type { SeenPolicies } from "./seen-policies.ts";

export interface ExcessSources {
  readonly probe: RoleProbe | undefined;
  readonly policies: SeenPolicies | undefined;
}

/**
 * What the role can do beyond the catalogue. From its policies where they can be read: each pattern that no grant asks for,
 * and each dangerous action that the evaluator finds allowed. Otherwise the dangerous actions, asked of the simulator.
 */
export async function listExcess(
  sources: ExcessSources,
  subject: ChainSubject,
  call: Call,
): Promise<readonly Excess[]> {
  const dangers = dangerousActions(subject.values).filter((danger) => !isGranted(subject, danger));
  if (sources.policies !== undefined) {
    return [
      ...dangers.flatMap((danger) => allowedDanger(sources.policies!, subject, danger)),
      ...statementsBeyond(sources.policies, subject),
    ];
  }
  if (sources.probe === undefined) return [];
  return simulateDangers(sources.probe, subject, { dangers, call });
}

/** What the scoped documents themselves allow is no excess. */
function isGranted(subject: ChainSubject, { action, resource }: DangerousAction): boolean {
  const grants = subject.role.operations.flatMap((operation) => operation.grants);
  const statements = grants.flatMap((grant) => grantStatement(grant, subject.values) ?? []);
  const policy = { Version: "2012-10-17", Statement: statements };
  return evaluateDanger(subject, { action, resource }, { identityPolicies: [{ policy }] }) !== undefined;
}

function evaluateDanger(
  { accountId, roleArn }: ChainSubject,
  { action, resource }: Pick<DangerousAction, "action" | "resource">,
  policies: Pick<SeenPolicies, "identityPolicies" | "permissionBoundaries" | "serviceControlPolicies">,
) {
  const { identityPolicies, permissionBoundaries, serviceControlPolicies } = policies;
  const asked = {
    request: { action, resource: { resource, accountId }, principal: roleArn },
    identityPolicies,
    ...(permissionBoundaries === undefined ? {} : { permissionBoundaries }),
    ...(serviceControlPolicies === undefined ? {} : { serviceControlPolicies }),
  };
  const { decision, matched } = evaluate(asked, { scope: "identity-side" });
  if (decision !== "Allowed") return undefined;
  return matched.find(({ effect, layer }) => effect === "Allow" && layer === "identity");
}

function allowedDanger(
  policies: SeenPolicies,
  subject: ChainSubject,
  danger: DangerousAction,
): readonly Excess[] {
  const found = evaluateDanger(subject, danger, policies);
  if (found === undefined) return [];
  const statement = {
    layer: "identity",
    policy: found.policy,
    ...(found.sid === undefined ? {} : { sid: found.sid }),
    statementIndex: found.index,
    accountId: subject.accountId,
  };
  return [{ ...dangerExcess(subject, danger), knownBy: ["evaluated"], statement }];
}

function dangerExcess(
  { role, roleArn }: ChainSubject,
  { action, resource, words }: DangerousAction,
): Omit<Excess, "knownBy" | "statement"> {
  const isWorker = role.livesIn === "worker-account";
  const loud = isWorker ? "ALARM: the worker role, which must only talk, " : "";
  const sentence = `${loud}${roleArn} may ${words} (${action} on ${resource}).`;
  return { subject: roleArn, kind: isWorker ? "alarm" : "beyond", action, resource, sentence };
}

async function simulateDangers(
  probe: RoleProbe,
  subject: ChainSubject,
  { dangers, call }: { readonly dangers: readonly DangerousAction[]; readonly call: Call },
): Promise<readonly Excess[]> {
  const request = {
    roleArn: subject.roleArn,
    actions: [...new Set(dangers.map(({ action }) => action))],
    resources: [...new Set(dangers.map(({ resource }) => resource))],
    context: {},
  };
  const answer = await probe.simulate(request, call);
  if (answer.outcome !== "known") return [];
  const allowed = answer.value.filter(({ decision }) => decision === "allowed");
  return dangers
    .filter(({ action, resource }) =>
      allowed.some((one) => one.action === action && one.resource === resource),
    )
    .map((danger) => ({ ...dangerExcess(subject, danger), knownBy: ["simulated"] }));
}

/** Statement by statement: action patterns that no grant names, and actions that reach further than their grants. */
function statementsBeyond(policies: SeenPolicies, subject: ChainSubject): readonly Excess[] {
  const scopes = scopesOf(subject);
  return policies.identityPolicies.flatMap(({ name = "an inline policy", policy }) =>
    statementsOf(policy).flatMap((statement, statementIndex) => {
      if (statement.Effect !== "Allow") return [];
      const origin = {
        layer: "identity",
        policy: name,
        ...(statement.Sid === undefined ? {} : { sid: statement.Sid }),
        statementIndex,
        accountId: subject.accountId,
      };
      return beyondStatement(subject, statement, scopes).map((one) => ({ ...one, statement: origin }));
    }),
  );
}

/** Action, lower case -> resources that the scoped documents name for it. */
function scopesOf(subject: ChainSubject): ReadonlyMap<string, ReadonlySet<string>> {
  const scopes = new Map<string, Set<string>>();
  for (const grant of subject.role.operations.flatMap((operation) => operation.grants)) {
    const resources = grantStatement(grant, subject.values)?.Resource ?? [];
    for (const action of grant.actions) {
      const known = scopes.get(action.toLowerCase()) ?? new Set();
      for (const resource of resources) known.add(resource);
      scopes.set(action.toLowerCase(), known);
    }
  }
  return scopes;
}

function beyondStatement(
  { roleArn }: ChainSubject,
  statement: StatementDocument,
  scopes: ReadonlyMap<string, ReadonlySet<string>>,
): readonly Excess[] {
  const base = { subject: roleArn, knownBy: ["read"] } as const;
  const resources = [statement.Resource ?? "*"].flat();
  const resource = resources.join(", ");
  if (statement.NotAction !== undefined || statement.NotResource !== undefined) {
    const sentence = `${roleArn} holds a statement that names what it does not allow (NotAction or NotResource): everything else is beyond the catalogue.`;
    const action = statement.NotAction === undefined ? [statement.Action ?? "*"].flat().join(", ") : "*";
    return [{ ...base, kind: "beyond", action, resource, sentence }];
  }
  return [statement.Action ?? []].flat().flatMap((action): readonly Excess[] => {
    const scope = scopes.get(action.toLowerCase());
    if (scope === undefined) {
      const sentence = `${roleArn} holds ${action} on ${resource}, which nothing of ours needs.`;
      return [{ ...base, kind: "beyond", action, resource, sentence }];
    }
    if (!resources.includes("*") || scope.has("*")) return [];
    const sentence = `${roleArn} holds ${action} on every resource; ${[...scope].join(", ")} would do.`;
    return [{ ...base, kind: "wide", action, resource: "*", sentence }];
  });
}

function statementsOf(policy: object): readonly StatementDocument[] {
  return [(policy as PolicyDocument).Statement].flat() as readonly StatementDocument[];
}

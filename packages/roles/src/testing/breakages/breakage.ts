import type { PolicyDocument, StatementDocument } from "@garrison/iam/policy-document";
import type { ChainRequest } from "../../chain-request.ts";
import type { LinkName, StatementOrigin } from "../../chain-report.ts";
import type { ExportOptions } from "../../export-role.ts";
import type { MemoryRole, MemoryWorld } from "../memory-world.ts";
import type { WorkingStage } from "./working-stage.ts";

/** One thing wrong with a setup that works, and what the check has to say about it. */
export interface Breakage {
  readonly name: string;
  /** How the roles were written before. Default: scoped. */
  readonly options?: ExportOptions;
  /** Changes the world; answers what is asked otherwise than usual. */
  break(stage: WorkingStage): Partial<ChainRequest> | void;
  /** The links that are reported as failed, and no others. */
  readonly links: readonly LinkName[];
  /** Of the first finding that failed: its role, its statement, the action, a part of its sentence. */
  readonly subject: string;
  readonly statement?: Partial<StatementOrigin>;
  readonly action?: string;
  readonly sentence: string;
  /**
   * Who mends it. `role-owner`: `garrison roles repair` does (own trust, instance profile, own `garrison-*` inline
   * policies). `other`: the printed patch, applied by the owner of that policy. `nobody`: no policy would help (a role that
   * has to be made first, another partition, a limit, a change that is still spreading).
   */
  readonly mendedBy: "role-owner" | "other" | "nobody";
  /** AWS's simulator sees nothing of it: without read rights the check passes. */
  readonly isUnseenBySimulator?: true;
}

export function changeTrust(
  role: MemoryRole,
  change: (statement: StatementDocument) => StatementDocument | undefined,
): void {
  role.trust = changeStatements(role.trust, (statement) => change(statement) ?? []);
}

export function addToTrust(role: MemoryRole, statement: StatementDocument): void {
  role.trust = appended(role.trust, statement);
}

/** The statements of all IAM policies of the role, changed. */
export function changePolicies(
  role: MemoryRole,
  change: (statement: StatementDocument) => StatementDocument | undefined,
): void {
  role.identityPolicies = role.identityPolicies.map((named) => ({
    ...named,
    policy: changeStatements(named.policy, (statement) => change(statement) ?? []),
  }));
}

export function withoutAction(role: MemoryRole, action: string): void {
  changePolicies(role, (statement) => {
    const kept = [statement.Action ?? []].flat().filter((one) => one !== action);
    return kept.length === 0 ? undefined : { ...statement, Action: kept };
  });
}

/** An organisation policy more at one level of the account's path. */
export function addLevelPolicy(
  world: MemoryWorld,
  kind: "serviceControlPolicies" | "resourceControlPolicies",
  at: { readonly account: string; readonly level: string; readonly statement: StatementDocument },
): void {
  const levels = world[kind].get(at.account) ?? [];
  const policy = { Version: "2012-10-17", Statement: [at.statement] };
  world[kind].set(
    at.account,
    levels.map((level) =>
      level.orgIdentifier === at.level
        ? { ...level, policies: [...level.policies, { name: "guard (p-guard)", policy }] }
        : level,
    ),
  );
}

export function policyOf(...statements: readonly StatementDocument[]): object {
  return { Version: "2012-10-17", Statement: statements };
}

export function appended(document: object, statement: StatementDocument): object {
  const policy = document as PolicyDocument;
  return { ...policy, Statement: [...([policy.Statement].flat() as StatementDocument[]), statement] };
}

function changeStatements(
  document: object,
  change: (statement: StatementDocument) => StatementDocument | readonly StatementDocument[],
): object {
  const policy = document as PolicyDocument;
  return { ...policy, Statement: ([policy.Statement].flat() as StatementDocument[]).flatMap(change) };
}

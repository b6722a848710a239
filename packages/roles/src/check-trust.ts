import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationCase } from "@garrison/iam/evaluation-case";
import { explain, type Explanation } from "@garrison/iam/explain";
import type { PolicyDocument, StatementDocument } from "@garrison/iam/policy-document";
import type { PolicyPatch } from "@garrison/iam/policy-patch";
import type { StatementOrigin } from "./chain-report.ts";

/** What a trust policy says to one caller. */
export interface TrustVerdict {
  readonly verdict: "trusts" | "refuses" | "depends";
  readonly sentence: string;
  readonly statement?: StatementOrigin;
  /** For a statement that denies: the same with the caller excepted. */
  readonly patches?: readonly PolicyPatch[];
}

export interface TrustQuestion {
  readonly roleArn: string;
  readonly accountId: string;
  readonly trust: object;
  /** The caller as STS names it: a role session's, a user's or a service. */
  readonly principal: string;
  readonly principalAccount?: string;
  readonly externalId?: string;
  readonly sessionName?: string;
}

const anything = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};

/** Judges a trust policy by itself, as if everything else allowed; the sentence names the statement. */
export function checkTrust(question: TrustQuestion): TrustVerdict {
  const { externalId } = question;
  const asked = trustCase(question, externalId);
  const result = evaluate(asked);
  const origin = { layer: "trust", policy: "trust policy", accountId: question.accountId };
  if (result.decision === "Allowed") {
    const matched = result.matched.find(
      (statement) => statement.layer === "resource" && statement.effect === "Allow",
    );
    const statement = { ...origin, sid: matched?.sid, statementIndex: matched?.index };
    return { verdict: "trusts", sentence: `${question.roleArn} trusts ${question.principal}.`, statement };
  }
  if (result.decision === "Unknown") {
    const keys = result.missingContext.join(", ");
    const sentence = `Whether ${question.roleArn} trusts ${question.principal} depends on ${keys}.`;
    return { verdict: "depends", sentence, statement: origin };
  }
  if (result.decision === "ExplicitlyDenied") return denialOf(origin, explain(asked, result));
  return refusal(question, origin);
}

function denialOf(origin: StatementOrigin, { patches, sentence, statement }: Explanation): TrustVerdict {
  const place = statement === undefined ? {} : { sid: statement.sid, statementIndex: statement.index };
  const named = patches.map((patch) => ({ ...patch, policy: origin.policy }));
  return { verdict: "refuses", sentence, statement: { ...origin, ...place }, patches: named };
}

/** No statement lets the caller in: the one that nearly does tells why. */
function refusal(question: TrustQuestion, origin: StatementOrigin): TrustVerdict {
  const { principal, roleArn } = question;
  const statements = statementsOf(question.trust);
  const deleted = statements.findIndex((statement) => namesDeletedPrincipal(statement));
  if (deleted >= 0) {
    const sentence = `${roleArn} trusts a deleted role: its trust policy holds a unique id (AROA...) where a role's ARN stood, and a role made again under the old name is another role.`;
    return { verdict: "refuses", sentence, statement: { ...origin, ...placeOf(statements, deleted) } };
  }
  const wrongId = statements.findIndex((statement) =>
    externalIdsOf(statement).some((id) => evaluate(trustCase(question, id)).decision === "Allowed"),
  );
  if (wrongId >= 0 && !question.principal.endsWith(".amazonaws.com")) {
    const held = question.externalId === undefined ? "none was given" : "another one was given";
    const sentence = `${roleArn} trusts ${principal} only with the external ID in its trust policy, and ${held}.`;
    return { verdict: "refuses", sentence, statement: { ...origin, ...placeOf(statements, wrongId) } };
  }
  const sentence = `No statement in the trust policy of ${roleArn} lets ${principal} assume it.`;
  return { verdict: "refuses", sentence, statement: origin };
}

function trustCase(question: TrustQuestion, externalId: string | undefined): EvaluationCase {
  return {
    request: {
      action: "sts:AssumeRole",
      resource: { resource: question.roleArn, accountId: question.accountId },
      principal: question.principal,
      context: {
        "sts:RoleSessionName": question.sessionName ?? "garrison-check",
        ...serviceContext(question.principal),
        ...(externalId === undefined ? {} : { "sts:ExternalId": externalId }),
      },
    },
    identityPolicies: [{ name: "as if the caller's own IAM policies allowed it", policy: anything }],
    resourcePolicy: question.trust,
  };
}

/** What a request carries that an AWS service makes in its own name. */
export function serviceContext(principal: string): Readonly<Record<string, string>> {
  if (principal.startsWith("arn:")) return {};
  return { "aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": principal };
}

function statementsOf(trust: object): readonly StatementDocument[] {
  const { Statement } = trust as PolicyDocument;
  return [Statement].flat() as readonly StatementDocument[];
}

function placeOf(statements: readonly StatementDocument[], index: number): Partial<StatementOrigin> {
  return { sid: statements[index]?.Sid, statementIndex: index };
}

/** IAM shows the unique id of a principal that is gone instead of its ARN. */
function namesDeletedPrincipal(statement: StatementDocument): boolean {
  const principals = statement.Principal;
  if (principals === undefined || principals === "*") return false;
  return [principals["AWS"] ?? []].flat().some((id) => /^A(ROA|IDA)[A-Z0-9]{8,}$/.test(id));
}

function externalIdsOf(statement: StatementDocument): readonly string[] {
  return Object.entries(statement.Condition ?? {}).flatMap(([operator, keys]) => {
    if (!operator.startsWith("StringEquals")) return [];
    const key = Object.keys(keys).find((name) => name.toLowerCase() === "sts:externalid");
    return key === undefined ? [] : [keys[key] ?? []].flat().map(String);
  });
}

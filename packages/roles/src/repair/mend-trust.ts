import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationCase, EvaluationResult } from "@garrison/iam/evaluation-case";
import type { PrincipalElement, StatementDocument } from "@garrison/iam/policy-document";
import type { ChainSubject } from "../chain-subjects.ts";
import { serviceContext } from "../check-trust.ts";
import type { CallerFacts } from "../prober.ts";
import { principalArnOf } from "../role-arn.ts";
import { trustFix } from "../role-walk.ts";
import { ec2Trust } from "../trust-policy.ts";
import { exemptPrincipal, replaceStatement, statementsOf, withStatements } from "./edit-policy.ts";

export interface TrustMending {
  readonly subject: ChainSubject;
  readonly caller: CallerFacts;
}

const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
const maxEdits = 12;

/**
 * The role's own trust with the fewest changes after which the appliance gets in with the external ID and not without, and
 * EC2 does where instances carry the role. What others are trusted with stays.
 */
export function mendTrust(mending: TrustMending, trust: object): object {
  const { role } = mending.subject;
  const open = role.trusts.includes("appliance") ? closeToAnybody(mending, trust) : trust;
  const entered = role.trusts.includes("appliance") ? admitAppliance(mending, open) : open;
  return role.trusts.includes("ec2") ? admitInstances(mending, entered) : entered;
}

/** A statement that asks for no external ID stops naming the appliance's account; our own gives way to the right one. */
function closeToAnybody(mending: TrustMending, trust: object): object {
  if (mending.subject.externalId === undefined) return trust;
  let current = trust;
  for (let edits = 0; edits < maxEdits; edits++) {
    const { externalId: _known, ...withoutId } = asked(mending);
    const said = judge(current, withoutId);
    const allowing = said.matched.find(({ effect, layer }) => layer === "resource" && effect === "Allow");
    const statement = allowing === undefined ? undefined : statementsOf(current)[allowing.index];
    if (said.decision !== "Allowed" || allowing === undefined || statement === undefined) return current;
    const isOurs = statement.Sid === "GarrisonAppliance";
    const by = isOurs ? trustStatement(mending) : withoutAccount(statement, mending.caller.accountId);
    current =
      replaceStatement(current, allowing.index, by) ?? withStatement(undefined, trustStatement(mending));
  }
  return current;
}

function admitAppliance(mending: TrustMending, trust: object): object {
  const { caller } = mending;
  const lifted = liftDenials(trust, asked(mending), (statement) =>
    namesOnly(statement.Principal, (id) => id === caller.arn || id === principalArnOf(caller.arn))
      ? undefined
      : exemptPrincipal(statement, principalArnOf(caller.arn)),
  );
  if (isOpen(lifted, asked(mending))) return lifted;
  const added = withStatement(lifted, trustStatement(mending));
  // A deny may stand behind the missing allow.
  return liftDenials(added, asked(mending), (statement) =>
    exemptPrincipal(statement, principalArnOf(caller.arn)),
  );
}

function admitInstances({ subject }: TrustMending, trust: object): object {
  const services = subject.values.ec2Principals;
  const questions = services.map((principal) => ({ principal, sessionName: "i-00000000000000000", subject }));
  if (questions.some((question) => isOpen(trust, question))) return trust;
  let current = trust;
  for (const question of questions) {
    current = liftDenials(current, question, (statement) =>
      namesOnly(statement.Principal, (id) => id === question.principal)
        ? undefined
        : exemptService(statement, question.principal),
    );
  }
  const isTrusted = questions.some((question) => isOpen(current, question));
  return isTrusted ? current : withStatement(current, { ...ec2Trust(subject.values) });
}

interface TrustQuestion {
  readonly subject: ChainSubject;
  readonly principal: string;
  readonly sessionName: string;
  readonly externalId?: string;
}

function asked({ caller, subject }: TrustMending): TrustQuestion {
  const { externalId } = subject;
  const question = { subject, principal: caller.arn, sessionName: "garrison-check" };
  return externalId === undefined ? question : { ...question, externalId };
}

function judge(
  trust: object,
  { externalId, principal, sessionName, subject }: TrustQuestion,
): EvaluationResult {
  const question: EvaluationCase = {
    request: {
      action: "sts:AssumeRole",
      resource: { resource: subject.roleArn, accountId: subject.accountId },
      principal,
      context: {
        "sts:RoleSessionName": sessionName,
        ...serviceContext(principal),
        ...(externalId === undefined ? {} : { "sts:ExternalId": externalId }),
      },
    },
    identityPolicies: [{ name: "as if the caller's own IAM policies allowed it", policy: everything }],
    resourcePolicy: trust,
  };
  return evaluate(question);
}

function isOpen(trust: object, question: TrustQuestion): boolean {
  const { decision } = judge(trust, question);
  return decision === "Allowed" || decision === "Unknown";
}

function liftDenials(
  trust: object,
  question: TrustQuestion,
  lift: (statement: StatementDocument) => StatementDocument | undefined,
): object {
  let current = trust;
  for (let edits = 0; edits < maxEdits; edits++) {
    const denying = judge(current, question).matched.find(
      ({ effect, layer, unknown }) => layer === "resource" && effect === "Deny" && unknown !== true,
    );
    const statement = denying === undefined ? undefined : statementsOf(current)[denying.index];
    if (denying === undefined || statement === undefined) return current;
    current = replaceStatement(current, denying.index, lift(statement)) ?? {
      Version: "2012-10-17",
      Statement: [],
    };
  }
  return current;
}

/** EC2 has no ARN; the service's name is what a deny can make an exception for. */
function exemptService(statement: StatementDocument, service: string): StatementDocument {
  const own = { ...statement.Condition?.["StringNotEquals"], "aws:PrincipalServiceName": service };
  return { ...statement, Condition: { ...statement.Condition, StringNotEquals: own } };
}

function trustStatement({ caller, subject }: TrustMending): StatementDocument {
  return trustFix(caller, subject) as unknown as StatementDocument;
}

/** Ours of the same Sid gives way to it; otherwise it comes last. */
function withStatement(trust: object | undefined, statement: StatementDocument): object {
  const present = trust === undefined ? [] : statementsOf(trust);
  const at = present.findIndex(({ Sid }) => Sid === statement.Sid);
  const next =
    at < 0 ? [...present, statement] : present.map((one, index) => (index === at ? statement : one));
  return withStatements(trust, next) ?? {};
}

function namesOnly(principal: PrincipalElement | undefined, isMeant: (id: string) => boolean): boolean {
  if (principal === undefined || principal === "*") return false;
  return Object.values(principal).flat().every(isMeant);
}

/** The statement for everybody that it names but that account; undefined when nobody is left. */
function withoutAccount(statement: StatementDocument, accountId: string): StatementDocument | undefined {
  const { Principal: principal } = statement;
  if (principal === undefined || principal === "*") return undefined;
  const { AWS: ids, ...others } = principal;
  const kept = [ids ?? []].flat().filter((id) => id !== "*" && !id.includes(accountId));
  const left = kept.length === 0 ? others : { ...others, AWS: kept };
  return Object.keys(left).length === 0 ? undefined : { ...statement, Principal: left };
}

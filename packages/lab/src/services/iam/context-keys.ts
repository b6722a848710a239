import type {
  GetContextKeysForCustomPolicyCommandInput,
  GetContextKeysForPrincipalPolicyCommandInput,
} from "@aws-sdk/client-iam";
import { attachedPolicies } from "../../authorization/principal-policies.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { checkPolicyDocument } from "./check-policy-document.ts";
import { authorizedSource } from "./simulation-source.ts";

interface StatementLike {
  readonly Action?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Context keys that a document's conditions and policy variables name, in order of appearance. */
export function contextKeysOf(
  document: object,
  accepts: (statement: StatementLike) => boolean = () => true,
): string[] {
  const statements = [
    (document as { Statement: StatementLike | readonly StatementLike[] }).Statement,
  ].flat() as StatementLike[];
  const keys = new Set<string>();
  for (const statement of statements.filter(accepts)) {
    for (const block of Object.values(statement.Condition ?? {}))
      for (const key of Object.keys(block)) keys.add(key);
    for (const [, variable] of JSON.stringify(statement).matchAll(/\$\{([\w:/.@-]+)(?:,[^}]*)?\}/g)) {
      if (variable!.includes(":")) keys.add(variable!);
    }
  }
  return [...keys];
}

export function getContextKeysForCustomPolicy(
  input: GetContextKeysForCustomPolicyCommandInput,
  call: Call,
): object {
  call.authorize({
    action: "iam:GetContextKeysForCustomPolicy",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  return { ContextKeyNames: keysOfAll((input.PolicyInputList ?? []).map(parseInput)) };
}

/** The keys of a principal's own policies and boundary; an SCP's keys are never told. */
export function getContextKeysForPrincipalPolicy(
  input: GetContextKeysForPrincipalPolicyCommandInput,
  call: Call,
): object {
  const { holder } = authorizedSource(call, "GetContextKeysForPrincipalPolicy", input.PolicySourceArn!);
  const { identityPolicies, permissionBoundaries = [] } = attachedPolicies(
    call.lab.identity,
    call.lab.parsed,
    holder,
  );
  const own = [...identityPolicies, ...permissionBoundaries].map(({ policy }) => policy);
  return { ContextKeyNames: keysOfAll([...own, ...(input.PolicyInputList ?? []).map(parseInput)]) };
}

function parseInput(document: string): object {
  checkPolicyDocument(document, "identity");
  return JSON.parse(document) as object;
}

function keysOfAll(documents: readonly object[]): string[] {
  return [...new Set(documents.flatMap((document) => contextKeysOf(document)))];
}

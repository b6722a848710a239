import type { KmsGrant, NamedPolicy } from "./evaluation-case.ts";
import type {
  ConditionBlock,
  PolicyDocument,
  PrincipalElement,
  StatementDocument,
} from "./policy-document.ts";

const policies = new WeakMap<KmsGrant, PolicyDocument>();

/** Grants on a key as the policies that say the same, so that they are matched and explained like any other. */
export function grantPolicies(grants: readonly KmsGrant[]): readonly NamedPolicy[] {
  return grants.map((grant, place) => {
    const policy = policies.get(grant) ?? writePolicy(grant);
    policies.set(grant, policy);
    return { name: grant.grantId ?? `grant ${place + 1}`, policy };
  });
}

/** Operations that take no encryption context, so that a grant's constraint on it does not reach them. */
const unconstrained: ReadonlySet<string> = new Set(["DescribeKey", "RetireGrant"]);

/** Without `Version`: what looks like a variable in an encryption context is plain text. */
function writePolicy(grant: KmsGrant): PolicyDocument {
  const { operations, retiringPrincipal } = grant;
  const Principal = nameGrantee(grant.granteePrincipal);
  const groups: readonly (readonly [readonly string[], ConditionBlock])[] = [
    [operations.filter((each) => unconstrained.has(each)), sourceCondition(grant)],
    [operations.filter((each) => each === "CreateGrant"), childConditions(grant)],
    [
      operations.filter((each) => each !== "CreateGrant" && !unconstrained.has(each)),
      { ...sourceCondition(grant), ...contextConditions(grant) },
    ],
  ];
  const statements: readonly StatementDocument[] = groups
    .filter(([names]) => names.length > 0)
    .map(([names, Condition]) => ({
      Effect: "Allow",
      Principal,
      Action: names.map((name) => `kms:${name}`),
      Resource: "*",
      Condition,
    }));
  if (retiringPrincipal === undefined) return { Statement: statements };
  const retires = { Effect: "Allow", Action: "kms:RetireGrant", Resource: "*" } as const;
  return { Statement: [...statements, { ...retires, Principal: nameGrantee(retiringPrincipal) }] };
}

function nameGrantee(principal: string): PrincipalElement {
  return principal.startsWith("arn:") || /^\d{12}$/.test(principal)
    ? { AWS: principal }
    : { Service: principal };
}

function sourceCondition({ sourceArn }: KmsGrant): ConditionBlock {
  return sourceArn === undefined ? {} : { ArnLike: { "aws:SourceArn": sourceArn } };
}

/** `Equals` wants exactly these pairs, `Subset` at least these. */
function contextConditions({ encryptionContextEquals, encryptionContextSubset }: KmsGrant): ConditionBlock {
  const pairs = Object.entries({ ...encryptionContextSubset, ...encryptionContextEquals });
  if (pairs.length === 0) return {};
  const keys = Object.fromEntries(pairs.map(([key, value]) => [`kms:EncryptionContext:${key}`, value]));
  if (encryptionContextEquals === undefined) return { StringEquals: keys };
  const only = { "kms:EncryptionContextKeys": Object.keys(encryptionContextEquals) };
  return { StringEquals: keys, "ForAllValues:StringEquals": only };
}

/** Who got `CreateGrant` from a grant may pass on no more than that grant gives, under constraints of its own. */
function childConditions(grant: KmsGrant): ConditionBlock {
  const { operations, encryptionContextEquals, encryptionContextSubset } = grant;
  const conditions = {
    ...sourceCondition(grant),
    "ForAllValues:StringEquals": { "kms:GrantOperations": operations },
  };
  if (encryptionContextEquals === undefined && encryptionContextSubset === undefined) return conditions;
  return { ...conditions, Null: { "kms:GrantConstraintType": "false" } };
}

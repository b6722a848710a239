import * as fc from "fast-check";
import type { EvaluationCase, NamedPolicy } from "../evaluation-case.ts";

const account = "111111111111";
const session = `arn:aws:sts::${account}:assumed-role/app/s`;
const role = `arn:aws:iam::${account}:role/app`;
const user = `arn:aws:iam::${account}:user/ann`;

const actions = ["s3:GetObject", "s3:PutObject", "sqs:SendMessage", "ec2:StopInstances"];
const actionPatterns = [...actions, "s3:*", "*", "S3:get*", "sqs:Send?essage", "*:*"];
const resources = ["arn:aws:s3:::b/k", "arn:aws:s3:::b/a:k", "*"];
const resourcePatterns = [...resources, "arn:aws:s3:::b/*", "arn:aws:s3:::b/?", "arn:aws:s3:::*:k"];
const keys = ["k:a", "k:b", "k:c"];

const oneOrMany = (values: readonly string[]) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }) },
  );

const qualifier = fc.constantFrom("", "", "", "ForAllValues:", "ForAnyValue:");
const suffix = fc.constantFrom("", "", "IfExists");

function test(names: readonly string[], values: readonly string[]) {
  return fc.tuple(
    fc.tuple(qualifier, fc.constantFrom(...names), suffix).map((parts) => parts.join("")),
    fc.dictionary(fc.constantFrom(...keys), oneOrMany(values), { minKeys: 1, maxKeys: 2 }),
  );
}

const condition = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: test(["StringEquals", "StringNotEquals"], ["x", "y"]) },
      { weight: 2, arbitrary: test(["StringLike", "StringNotLike"], ["x*", "*", "?", "y"]) },
      test(["Bool"], ["true", "false"]),
      test(["NumericEquals", "NumericNotEquals", "NumericLessThan"], ["5", "7", "x"]),
      fc.tuple(
        fc.constant("Null"),
        fc.dictionary(fc.constantFrom(...keys), oneOrMany(["true", "false"]), { minKeys: 1, maxKeys: 1 }),
      ),
    ),
    { maxLength: 2 },
  )
  .map((entries) => Object.fromEntries(entries));

const principal = fc.oneof(
  fc.constant("*" as const),
  oneOrMany([session, role, user, account, `arn:aws:iam::${account}:root`, "*"]).map((AWS) => ({ AWS })),
  fc.constant({ Service: "config.amazonaws.com" }),
);

function statement(withPrincipal: boolean) {
  return fc
    .record({
      Effect: fc.constantFrom("Allow", "Allow", "Allow", "Deny"),
      action: fc.tuple(fc.constantFrom("Action", "Action", "Action", "NotAction"), oneOrMany(actionPatterns)),
      resource: fc.tuple(
        fc.constantFrom("Resource", "Resource", "Resource", "NotResource"),
        oneOrMany(resourcePatterns),
      ),
      principal,
      Condition: condition,
    })
    .map(({ Effect, action, resource, principal, Condition }) => ({
      Effect,
      [action[0]]: action[1],
      [resource[0]]: resource[1],
      ...(withPrincipal ? { Principal: principal } : {}),
      ...(Object.keys(Condition).length === 0 ? {} : { Condition }),
    }));
}

function policy(withPrincipal = false) {
  return fc
    .array(statement(withPrincipal), { minLength: 1, maxLength: 3 })
    .map((Statement) => ({ Version: "2012-10-17", Statement }));
}

function policies(withPrincipal = false, minLength = 0): fc.Arbitrary<NamedPolicy[]> {
  return fc
    .array(policy(withPrincipal), { minLength, maxLength: 2 })
    .map((all) => all.map((each, place) => ({ name: `P${place}`, policy: each })));
}

function levels(withPrincipal = false) {
  const level = fc.record({ orgIdentifier: fc.constantFrom("r", "ou"), policies: policies(withPrincipal) });
  return fc.array(level, { maxLength: 2 });
}

const contextValue = fc.oneof(
  fc.constantFrom("x", "y", "z", "true", "false", "5", "6", ""),
  fc.array(fc.constantFrom("x", "y", "5", ""), { maxLength: 3 }),
);

/** Cases over a small alphabet, so that statements often match and often nearly do. */
export const arbitraryCase: fc.Arbitrary<EvaluationCase> = fc.record(
  {
    request: fc.record({
      action: fc.constantFrom(...actions),
      resource: fc.record({
        resource: fc.constantFrom(...resources),
        accountId: fc.constantFrom(account, account, "222222222222"),
      }),
      principal: fc.constantFrom(
        session,
        session,
        user,
        `arn:aws:iam::${account}:root`,
        "config.amazonaws.com",
        { type: "Anonymous" } as const,
      ),
      context: fc.dictionary(fc.constantFrom(...keys), contextValue, { maxKeys: 3 }),
    }),
    identityPolicies: policies(false, 1),
    permissionBoundaries: policies(),
    sessionPolicy: policy(),
    resourcePolicy: policy(true),
    serviceControlPolicies: levels(),
    resourceControlPolicies: levels(true),
    vpcEndpointPolicies: policies(true),
    unknownContext: fc.uniqueArray(fc.constantFrom(...keys), { maxLength: 2 }),
  },
  { requiredKeys: ["request", "identityPolicies"] },
);

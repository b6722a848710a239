import * as fc from "fast-check";
import type { AclGrant, BucketSettings, EvaluationCase, KmsGrant, NamedPolicy } from "../evaluation-case.ts";

const account = "111111111111";
const session = `arn:aws:sts::${account}:assumed-role/app/s`;
const role = `arn:aws:iam::${account}:role/app`;
const user = `arn:aws:iam::${account}:user/ann`;

const linked = `arn:aws:sts::${account}:assumed-role/AWSServiceRoleForAutoScaling/s`;

const actions = [
  "s3:GetObject",
  "s3:PutObject",
  "sqs:SendMessage",
  "ec2:StopInstances",
  "kms:Decrypt",
  "kms:DescribeKey",
];
const actionPatterns = [...actions, "s3:*", "*", "S3:get*", "sqs:Send?essage", "*:*"];
const key = `arn:aws:kms:eu-central-1:${account}:key/k`;
const resources = ["arn:aws:s3:::b/k", "arn:aws:s3:::b/a:k", "*", key, key];
const resourcePatterns = [...resources, "arn:aws:s3:::b/*", "arn:aws:s3:::b/?", "arn:aws:s3:::*:k"];
const keys = ["k:a", "k:b", "k:c", "aws:SourceVpce"];

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

const encryptionContext = fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("x", "y"), { maxKeys: 2 });

/** The principals that a grant or an ACL may name. */
const grantees = [session, role, user, account, `arn:aws:iam::${account}:root`];

const kmsGrant: fc.Arbitrary<KmsGrant> = fc.record(
  {
    granteePrincipal: fc.constantFrom(...grantees, "config.amazonaws.com"),
    operations: fc.uniqueArray(fc.constantFrom("Decrypt", "DescribeKey", "Encrypt"), { maxLength: 2 }),
    encryptionContextEquals: encryptionContext,
    encryptionContextSubset: encryptionContext,
  },
  { requiredKeys: ["granteePrincipal", "operations"] },
);

const acl: fc.Arbitrary<AclGrant[]> = fc.array(
  fc.record({
    grantee: fc.constantFrom("AllUsers", "AuthenticatedUsers", account, "222222222222"),
    permission: fc.constantFrom("READ", "WRITE", "READ_ACP", "FULL_CONTROL"),
  }),
  { maxLength: 2 },
);

const bucket: fc.Arbitrary<BucketSettings> = fc.record(
  {
    publicAccessBlock: fc.record({ ignorePublicAcls: fc.boolean(), restrictPublicBuckets: fc.boolean() }),
    objectOwnership: fc.constantFrom("BucketOwnerEnforced", "ObjectWriter"),
    acl,
    objectAcl: acl,
  },
  { requiredKeys: [] },
);

const contextValue = fc.oneof(
  fc.constantFrom("x", "y", "z", "true", "false", "5", "6", ""),
  fc.array(fc.constantFrom("x", "y", "5", ""), { maxLength: 3 }),
);

/** An encryption context as KMS tells it to policies. */
function encryptionKeys(pairs: Readonly<Record<string, string>>): Record<string, string | string[]> {
  const values = Object.entries(pairs).map(
    ([name, value]) => [`kms:EncryptionContext:${name}`, value] as const,
  );
  return values.length === 0
    ? {}
    : { ...Object.fromEntries(values), "kms:EncryptionContextKeys": Object.keys(pairs) };
}

const anyCase: fc.Arbitrary<EvaluationCase> = fc.record(
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
        linked,
        user,
        `arn:aws:iam::${account}:root`,
        "config.amazonaws.com",
        { type: "Anonymous" } as const,
      ),
      context: fc
        .tuple(
          fc.dictionary(fc.constantFrom(...keys), contextValue, { maxKeys: 3 }),
          fc.option(encryptionContext),
        )
        .map(([context, pairs]) => ({ ...context, ...encryptionKeys(pairs ?? {}) })),
    }),
    identityPolicies: policies(false, 1),
    permissionBoundaries: policies(),
    sessionPolicy: policy(),
    resourcePolicy: policy(true),
    serviceControlPolicies: levels(),
    resourceControlPolicies: levels(true),
    vpcEndpointPolicies: policies(true),
    kmsGrants: fc.array(kmsGrant, { maxLength: 2 }),
    bucket,
    managementAccountId: fc.constantFrom(account, "222222222222", "333333333333"),
    unknownContext: fc.uniqueArray(fc.constantFrom(...keys), { maxLength: 2 }),
  },
  { requiredKeys: ["request", "identityPolicies"] },
);

/** About a key with grants, and with fewer layers around that would decide before them. */
const keyCase: fc.Arbitrary<EvaluationCase> = fc
  .tuple(
    anyCase,
    fc.constantFrom("kms:Decrypt", "kms:DescribeKey"),
    fc.array(kmsGrant, { minLength: 1, maxLength: 3 }),
  )
  .map(([given, action, kmsGrants]) => {
    const {
      serviceControlPolicies: _scps,
      resourceControlPolicies: _rcps,
      vpcEndpointPolicies: _endpoint,
      ...rest
    } = given;
    const resource = { ...given.request.resource, resource: key };
    return { ...rest, kmsGrants, request: { ...given.request, action, resource } };
  });

/** The same about a bucket. */
const bucketCase: fc.Arbitrary<EvaluationCase> = fc
  .tuple(anyCase, fc.constantFrom("s3:GetObject", "s3:PutObject"), bucket)
  .map(([{ request, identityPolicies = [], resourcePolicy, unknownContext }, action, settings]) => ({
    request: { ...request, action, resource: { ...request.resource, resource: "arn:aws:s3:::b/k" } },
    identityPolicies,
    ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
    ...(unknownContext === undefined ? {} : { unknownContext }),
    bucket: settings,
  }));

/** Cases over a small alphabet, so that statements often match and often nearly do. */
export const arbitraryCase: fc.Arbitrary<EvaluationCase> = fc.oneof(
  { weight: 3, arbitrary: anyCase },
  { weight: 1, arbitrary: keyCase },
  { weight: 1, arbitrary: bucketCase },
);

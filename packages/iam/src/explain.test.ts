import { expect, test } from "vitest";
import { evaluate } from "./evaluate.ts";
import type { EvaluationCase } from "./evaluation-case.ts";
import { explain } from "./explain.ts";
import { patchCase } from "./policy-patch.ts";

const account = "111111111111";
const principal = `arn:aws:sts::${account}:assumed-role/app/s`;
const resource = { resource: "arn:aws:s3:::b/k", accountId: account };
const all = { Effect: "Allow", Action: "*", Resource: "*" } as const;

function question(change: Partial<EvaluationCase>, context: Record<string, string> = {}): EvaluationCase {
  return {
    request: { action: "s3:GetObject", resource, principal, context },
    identityPolicies: [],
    ...change,
  };
}

function policyOf(...statements: readonly object[]): object {
  return { Version: "2012-10-17", Statement: statements };
}

function explained(given: EvaluationCase) {
  return explain(given, evaluate(given));
}

test("silence names the layer and the statement that would do", () => {
  const fix = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k" };
  expect(explained(question({}))).toEqual({
    sentence: `${principal} may not s3:GetObject on arn:aws:s3:::b/k: no IAM policy of the caller allows it.`,
    layer: "identity",
    missingContext: [],
    fix,
    patches: [{ layer: "identity", accountId: account, change: "add", statement: fix }],
    isMendedByPatches: true,
  });
});

test("a statement whose condition has another value is named, with both values and a widened condition", () => {
  const Condition = { StringEquals: { "aws:ResourceTag/env": "test" } };
  const policy = policyOf({ Sid: "TestOnly", ...all, Condition });
  const { sentence, statement, fix } = explained(
    question({ identityPolicies: [{ name: "P", policy }] }, { "aws:ResourceTag/env": "prod" }),
  );
  expect(sentence).toContain(
    'statement "TestOnly" of the IAM policy "P" would, but wants aws:ResourceTag/env to be "test" (StringEquals) but it is "prod"',
  );
  expect(statement).toEqual({ policy: "P", sid: "TestOnly", index: 0, accountId: account });
  expect(fix?.Condition).toEqual({ StringEquals: { "aws:ResourceTag/env": ["test", "prod"] } });
});

test("a key that the request lacks is named, and no fix drops the condition", () => {
  const given = question({
    request: {
      action: "sts:AssumeRole",
      resource: { resource: "arn:aws:iam::222222222222:role/w", accountId: "222222222222" },
      principal,
    },
    identityPolicies: [{ name: "P", policy: policyOf(all) }],
    resourcePolicy: policyOf({
      Sid: "Trust",
      Effect: "Allow",
      Action: "sts:AssumeRole",
      Principal: { AWS: account },
      Condition: { StringEquals: { "sts:ExternalId": "e1" } },
    }),
  });
  const { sentence, missingContext, fix, layer } = explained(given);
  expect(sentence).toContain(
    'statement "Trust" of the trust policy would, but wants sts:ExternalId to be "e1"',
  );
  expect(sentence).toContain("the request has no such key");
  expect({ missingContext, fix, layer }).toEqual({
    missingContext: ["sts:ExternalId"],
    fix: undefined,
    layer: "resource",
  });
});

test("a wrong external ID is never accepted by way of a fix", () => {
  const trust = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: account } };
  const Condition = { StringEquals: { "sts:ExternalId": "e1" } };
  const { sentence, fix } = explained({
    request: {
      action: "sts:AssumeRole",
      resource: { resource: "arn:aws:iam::222222222222:role/w", accountId: "222222222222" },
      principal,
      context: { "sts:ExternalId": "e2" },
    },
    identityPolicies: [{ name: "P", policy: policyOf(all) }],
    resourcePolicy: policyOf({ ...trust, Condition }),
  });
  expect(sentence).toContain("the trust policy in account 222222222222 does not allow it");
  expect(sentence).toContain('it is "e2"');
  expect(fix).toBeUndefined();
});

test("an explicit deny names statement, level and the value that made it hold, and excepts the caller", () => {
  const deny = {
    Sid: "OnlyEurope",
    Effect: "Deny",
    Action: "*",
    Resource: "*",
    Condition: { StringNotEquals: { "aws:RequestedRegion": ["eu-central-1"] } },
  };
  const { sentence, fix, layer } = explained(
    question(
      {
        identityPolicies: [{ name: "P", policy: policyOf(all) }],
        serviceControlPolicies: [
          {
            orgIdentifier: "r-root",
            policies: [
              { name: "Full", policy: policyOf(all) },
              { name: "Regions", policy: policyOf(deny) },
            ],
          },
        ],
      },
      { "aws:RequestedRegion": "us-east-1" },
    ),
  );
  expect(layer).toBe("scp");
  expect(sentence).toContain(
    'statement "OnlyEurope" of the service control policy "Regions" at r-root denies it, because aws:RequestedRegion is "us-east-1"',
  );
  expect(fix?.Condition).toEqual({
    ...deny.Condition,
    ArnNotLike: { "aws:PrincipalArn": `arn:aws:iam::${account}:role/app` },
  });
});

test("the fix of a deny lets the request pass", () => {
  const deny = { Effect: "Deny", Action: "s3:*", Resource: "*" } as const;
  const given = question({ identityPolicies: [{ name: "P", policy: policyOf(all, deny) }] });
  const { fix } = explained(given);
  const mended = { ...given, identityPolicies: [{ name: "P", policy: policyOf(all, fix as object) }] };
  expect(evaluate(mended).decision).toBe("Allowed");
});

test("an organisation level that is silent is named", () => {
  const { sentence } = explained(
    question({
      identityPolicies: [{ name: "P", policy: policyOf(all) }],
      serviceControlPolicies: [
        { orgIdentifier: "r-root", policies: [{ name: "Full", policy: policyOf(all) }] },
        { orgIdentifier: "ou-1", policies: [] },
      ],
    }),
  );
  expect(sentence).toContain("no service control policy at ou-1 allows it");
});

test("a trust in somebody else says whom it trusts, and the fix trusts the caller", () => {
  const given = question({
    request: {
      action: "sts:AssumeRole",
      resource: { resource: "arn:aws:iam::222222222222:role/w", accountId: "222222222222" },
      principal,
    },
    identityPolicies: [{ name: "P", policy: policyOf(all) }],
    resourcePolicy: policyOf({ Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: "AROAGONE" } }),
  });
  const { sentence, fix } = explained(given);
  expect(sentence).toContain('Statement[0] of the trust policy does, but only for {"AWS":"AROAGONE"}');
  expect(fix).toEqual({
    Effect: "Allow",
    Action: "sts:AssumeRole",
    Principal: { AWS: `arn:aws:iam::${account}:role/app` },
  });
});

test("an open decision names what it depends on", () => {
  const Condition = { StringEquals: { "aws:SourceVpce": "vpce-1" } };
  const { sentence } = explained(
    question({
      identityPolicies: [{ name: "P", policy: policyOf({ ...all, Condition }) }],
      unknownContext: ["aws:SourceVpce"],
    }),
  );
  expect(sentence).toContain('it depends on aws:SourceVpce, which Statement[0] of the IAM policy "P" tests.');
});

test("a request that several layers block gets a patch for each, and passes with all of them", () => {
  const given = question({
    identityPolicies: [{ name: "P", policy: policyOf({ ...all, Action: "sqs:*" }) }],
    permissionBoundaries: [{ name: "Edge", policy: policyOf({ ...all, Action: "ec2:*" }) }],
    serviceControlPolicies: [
      { orgIdentifier: "r-root", policies: [{ name: "Full", policy: policyOf(all) }] },
      {
        orgIdentifier: "ou-1",
        policies: [
          { name: "Guard", policy: policyOf(all, { Sid: "NoS3", ...all, Effect: "Deny", Action: "s3:*" }) },
        ],
      },
      { orgIdentifier: account, policies: [] },
    ],
  });
  const { patches, isMendedByPatches } = explained(given);
  expect(
    patches.map(({ layer, policy, orgIdentifier, change, sid }) => ({
      layer,
      policy,
      orgIdentifier,
      change,
      sid,
    })),
  ).toEqual([
    { layer: "scp", policy: "Guard", orgIdentifier: "ou-1", change: "replace", sid: "NoS3" },
    { layer: "identity", policy: "P", orgIdentifier: undefined, change: "add", sid: undefined },
    { layer: "boundary", policy: "Edge", orgIdentifier: undefined, change: "add", sid: undefined },
    { layer: "scp", policy: undefined, orgIdentifier: account, change: "add", sid: undefined },
  ]);
  expect(isMendedByPatches).toBe(true);
  expect(evaluate(patches.reduce(patchCase, given)).decision).toBe("Allowed");
});

test("a request that has to change gets no patch, and is said not to be mended by any", () => {
  const Condition = { StringEquals: { "s3:x-amz-acl": "private" } };
  const given = question({ identityPolicies: [{ name: "P", policy: policyOf({ ...all, Condition }) }] });
  expect(explained(given)).toMatchObject({ patches: [], isMendedByPatches: false });
});

const keyRequest = {
  action: "kms:Decrypt",
  resource: { resource: `arn:aws:kms:eu-central-1:${account}:key/k`, accountId: account },
  principal,
};
const keyGrant = {
  grantId: "G1",
  granteePrincipal: `arn:aws:iam::${account}:role/app`,
  operations: ["Decrypt"],
  encryptionContextSubset: { "aws:ebs:id": "vol-1" },
};

test("a grant that allows is named", () => {
  const context = { "kms:EncryptionContext:aws:ebs:id": "vol-1" };
  const given = question({ request: { ...keyRequest, context }, kmsGrants: [keyGrant] });
  expect(explained(given).sentence).toBe(
    `${principal} may kms:Decrypt on ${keyRequest.resource.resource}: the KMS grant "G1" allows it.`,
  );
});

test("a grant that nearly allowed is named with what it wants", () => {
  const context = { "kms:EncryptionContext:aws:ebs:id": "vol-2" };
  const { sentence, fix } = explained(
    question({
      request: { ...keyRequest, context },
      identityPolicies: [{ policy: policyOf(all) }],
      kmsGrants: [keyGrant],
    }),
  );
  expect(sentence).toContain(
    'has no key policy that allows it; the KMS grant "G1" would, but wants kms:EncryptionContext:aws:ebs:id to be "vol-1"',
  );
  expect(fix).toEqual({
    Effect: "Allow",
    Action: "kms:Decrypt",
    Principal: { AWS: `arn:aws:iam::${account}:role/app` },
    Resource: "*",
  });
});

test("an absent trust policy and key policy are told as policies that are not there", () => {
  const trust = {
    action: "sts:AssumeRole",
    resource: { resource: `arn:aws:iam::${account}:role/w`, accountId: account },
    principal,
  };
  const [role, key] = [trust, keyRequest].map(
    (request) => explained(question({ request, identityPolicies: [{ policy: policyOf(all) }] })).sentence,
  );
  expect(role).toContain(`the resource in account ${account} has no trust policy that allows it`);
  expect(key).toContain(`the resource in account ${account} has no key policy that allows it`);
});

test("Block Public Access is told with its setting, and no statement mends it", () => {
  const given = question({
    request: { action: "s3:GetObject", resource, principal: { type: "Anonymous" } },
    resourcePolicy: policyOf({ ...all, Principal: "*" }),
    bucket: { publicAccessBlock: { restrictPublicBuckets: true } },
  });
  const { sentence, fix, layer } = explained(given);
  expect(sentence).toContain(
    `Block Public Access (RestrictPublicBuckets) keeps everyone but account ${account} out, since the bucket's policy is public`,
  );
  expect([layer, fix]).toEqual(["public-access-block", undefined]);
});

test("a key that the call never carries is told as such", () => {
  const Condition = { StringEquals: { "aws:ResourceTag/team": "blue" } };
  const { sentence } = explained(
    question({
      request: {
        action: "ec2:DescribeInstances",
        resource: { resource: "*", accountId: account },
        principal,
      },
      identityPolicies: [{ name: "P", policy: policyOf({ ...all, Condition }) }],
    }),
  );
  expect(sentence).toContain(
    "the request has no such key, and a call of ec2:DescribeInstances never carries it",
  );
});

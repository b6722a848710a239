import { expect, test } from "vitest";
import { describePatch } from "./describe-patch.ts";
import type { EvaluationCase } from "./evaluation-case.ts";
import { explainAsTree } from "./explanation-tree.ts";

const all = { Effect: "Allow", Action: "*", Resource: "*" } as const;
const given: EvaluationCase = {
  request: {
    action: "s3:GetObject",
    resource: { resource: "arn:aws:s3:::b/k", accountId: "111111111111" },
    principal: "arn:aws:sts::111111111111:assumed-role/app/s",
    context: { "aws:RequestedRegion": "us-east-1" },
  },
  identityPolicies: [{ name: "P", policy: { Version: "2012-10-17", Statement: [all] } }],
  serviceControlPolicies: [
    {
      orgIdentifier: "ou-1",
      policies: [
        {
          name: "Guard",
          policy: {
            Version: "2012-10-17",
            Statement: [
              all,
              {
                ...all,
                Sid: "OnlyEurope",
                Effect: "Deny",
                Condition: { StringNotEquals: { "aws:RequestedRegion": "eu-central-1" } },
              },
              { Effect: "Deny", Action: "ec2:*", Resource: "*" },
            ],
          },
        },
      ],
    },
  ],
};

test("the tree holds each layer's statements that speak of the action, with every part and whether it holds", () => {
  const { decision, layers } = explainAsTree(given);
  expect(decision).toBe("ExplicitlyDenied");
  expect(layers).toEqual([
    {
      layer: "identity",
      title: "IAM policy",
      verdict: "allows",
      isBlocking: false,
      statements: [
        {
          policy: "P",
          index: 0,
          effect: "Allow",
          outcome: "holds",
          parts: [{ part: "resource", outcome: "holds", text: '"*"' }],
        },
      ],
    },
    {
      layer: "scp",
      title: "service control policy",
      verdict: "denies",
      isBlocking: true,
      statements: [
        {
          policy: "Guard",
          orgIdentifier: "ou-1",
          index: 0,
          effect: "Allow",
          outcome: "holds",
          parts: [{ part: "resource", outcome: "holds", text: '"*"' }],
        },
        {
          policy: "Guard",
          orgIdentifier: "ou-1",
          sid: "OnlyEurope",
          index: 1,
          effect: "Deny",
          outcome: "holds",
          parts: [
            { part: "resource", outcome: "holds", text: '"*"' },
            {
              part: "condition",
              outcome: "holds",
              text: 'wants aws:RequestedRegion not to be "eu-central-1" (StringNotEquals); it is "us-east-1"',
            },
          ],
        },
      ],
    },
  ]);
});

test("the patch says which statement of which policy is replaced, where it is attached, and by what", () => {
  const { isMendedByPatches, patches } = explainAsTree(given);
  expect(patches.map(describePatch)).toEqual([
    'replace the statement "OnlyEurope" of the service control policy (SCP) "Guard" attached to ou-1 by ' +
      '{"Effect":"Deny","Action":"*","Resource":"*","Sid":"OnlyEurope","Condition":' +
      '{"StringNotEquals":{"aws:RequestedRegion":"eu-central-1"},' +
      '"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/app"}}}',
  ]);
  expect(isMendedByPatches).toBe(true);
});

import { describe, expect, test } from "vitest";
import { evaluate } from "./evaluate.ts";
import { parseCase } from "./parse-case.ts";

const request = {
  action: "s3:GetObject",
  resource: { resource: "arn:aws:s3:::b/k", accountId: "111111111111" },
  principal: "arn:aws:iam::111111111111:user/ann",
  context: {},
};
const everything = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};
const toAnn = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: request.principal }, Action: "*", Resource: "*" }],
};
const wantsKey = {
  Statement: { Effect: "Allow", Action: "*", Resource: "*", Condition: { StringEquals: { k: "v" } } },
};

describe("what converters write is understood", () => {
  const understood: readonly (readonly [string, object, string])[] = [
    ["a policy without a name", { identityPolicies: [{ policy: everything }] }, "Allowed"],
    ["a policy without its wrapper", { identityPolicies: [everything] }, "Allowed"],
    ["one policy instead of a list", { identityPolicies: { name: "P", policy: everything } }, "Allowed"],
    ["a policy's name that is null", { identityPolicies: [{ name: null, policy: everything }] }, "Allowed"],
    ["a resource policy in a wrapper", { resourcePolicy: { name: "R", policy: toAnn } }, "Allowed"],
    [
      "unknown context in the request",
      { request: { ...request, unknownContext: ["K"] }, identityPolicies: [{ policy: wantsKey }] },
      "Unknown",
    ],
    [
      "unknown context in both places",
      {
        request: { ...request, unknownContext: ["other"] },
        unknownContext: ["k"],
        identityPolicies: [{ policy: wantsKey }],
      },
      "Unknown",
    ],
    [
      "a context that is null",
      { request: { ...request, context: null }, identityPolicies: [{ policy: everything }] },
      "Allowed",
    ],
    [
      "a context value that is null is absent",
      { request: { ...request, context: { k: null } }, identityPolicies: [{ policy: wantsKey }] },
      "ImplicitlyDenied",
    ],
    [
      "an account as a number",
      {
        request: { ...request, resource: { resource: "arn:aws:s3:::b/k", accountId: 111111111111 } },
        identityPolicies: [{ policy: everything }],
      },
      "Allowed",
    ],
    [
      "a principal as a policy writes it",
      { request: { ...request, principal: { AWS: request.principal } }, identityPolicies: [everything] },
      "Allowed",
    ],
    [
      "a level without an identifier",
      { identityPolicies: [everything], serviceControlPolicies: [{ policies: [everything] }] },
      "Allowed",
    ],
    [
      "layers that are null are absent",
      {
        identityPolicies: [everything],
        permissionBoundaries: null,
        serviceControlPolicies: null,
        resourceControlPolicies: null,
        vpcEndpointPolicies: null,
        unknownContext: null,
      },
      "Allowed",
    ],
    [
      "remarks beside the case",
      { identityPolicies: [everything], expected: "Allowed", comment: "x", id: 7 },
      "Allowed",
    ],
  ];
  test.each(understood)("%s", (_what, layers, decision) => {
    expect(evaluate(parseCase({ request, ...layers })).decision).toBe(decision);
  });
});

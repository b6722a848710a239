import { describe, expect, test } from "vitest";
import { parseCase } from "./parse-case.ts";

const request = {
  action: "s3:GetObject",
  resource: { resource: "arn:aws:s3:::b/k", accountId: "111111111111" },
  principal: "arn:aws:iam::111111111111:user/ann",
  context: {},
};
const identity = { Statement: { Effect: "Allow", Action: "*", Resource: "*" } };

test("a case without layers is a case", () => {
  expect(parseCase({ request })).toEqual({ request });
});

test("a layer that is null is absent", () => {
  expect(parseCase({ request, sessionPolicy: null, resourcePolicy: null })).toEqual({ request });
});

describe("what is wrong is named, with its place", () => {
  const broken: readonly (readonly [string, unknown, string])[] = [
    ["no object", 5, "case must be an object"],
    ["no request", {}, 'case has no "request"'],
    ["an unknown key that may be a layer", { request, scps: [] }, 'case has the unknown key "scps"'],
    [
      "an unknown key of the request that may be meant",
      { request: { ...request, contextKeys: 1 } },
      'request has the unknown key "contextKeys"',
    ],
    ["no action", { request: { ...request, action: undefined } }, 'case.request has no "action"'],
    [
      "an action without a service",
      { request: { ...request, action: "Get" } },
      "action must be service:action",
    ],
    [
      "no account of the resource",
      { request: { ...request, resource: { resource: "*" } } },
      'has no "accountId"',
    ],
    ["an unknown principal", { request: { ...request, principal: { type: "Me" } } }, 'must be "Anonymous"'],
    [
      "a context value",
      { request: { ...request, context: { k: {} } } },
      "case.request.context.k must be text",
    ],
    ["policies that are no list", { request, identityPolicies: {} }, "case.identityPolicies must be a list"],
    ["a policy without a document", { request, identityPolicies: [{ name: "P" }] }, '[0] has no "policy"'],
    [
      "a level without policies",
      { request, serviceControlPolicies: [{ orgIdentifier: "r" }] },
      'no "policies"',
    ],
    ["a policy that is invalid", { request, sessionPolicy: {} }, "case.sessionPolicy has no Statement"],
    [
      "a principal in an identity policy",
      {
        request,
        identityPolicies: [{ name: "P", policy: { Statement: { ...identity.Statement, Principal: "*" } } }],
      },
      "case.identityPolicies[0] (P): Statement[0] has a principal",
    ],
    ["no principal in a resource policy", { request, resourcePolicy: identity }, "has neither Principal"],
    [
      "unknown context that is no list",
      { request, unknownContext: "k" },
      "case.unknownContext must be a list",
    ],
  ];
  test.each(broken)("%s", (_what, json, message) => {
    expect(() => parseCase(json)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) as string }),
    );
  });
});

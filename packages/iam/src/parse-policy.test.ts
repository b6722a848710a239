import { describe, expect, test } from "vitest";
import { parsePolicy } from "./parse-policy.ts";

const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };

function policyWith(change: object): object {
  return { Version: "2012-10-17", Statement: [{ ...statement, ...change }] };
}

test("a policy comes back as it is", () => {
  const policy = policyWith({});
  expect(parsePolicy(policy)).toBe(policy);
});

test("one statement needs no list", () => {
  expect(() => parsePolicy({ Statement: statement })).not.toThrow();
});

describe("what is wrong is named, with its place", () => {
  const broken: readonly (readonly [string, unknown, string])[] = [
    ["no object", "text", 'P is "text"; it must be an object'],
    ["an unknown version", { Version: "2020-01-01", Statement: [] }, "P: Version"],
    ["no Statement", { Version: "2012-10-17" }, "P has no Statement"],
    [
      "an unknown element",
      policyWith({ Resources: "*" }),
      'P: Statement[0] has the unknown element "Resources"',
    ],
    ["a wrong Effect", policyWith({ Effect: "allow" }), 'P: Statement[0].Effect is "allow"'],
    ["no Effect", policyWith({ Effect: undefined }), "P: Statement[0].Effect is missing"],
    ["Action and NotAction", policyWith({ NotAction: "*" }), "has both Action and NotAction"],
    ["neither Action nor NotAction", policyWith({ Action: undefined }), "has neither Action nor NotAction"],
    ["an action without a service", policyWith({ Action: "GetObject" }), 'Action holds "GetObject"'],
    ["a number as an action", policyWith({ Action: 5 }), "Action holds 5"],
    ["Resource and NotResource", policyWith({ NotResource: "*" }), "has both Resource and NotResource"],
    ["a principal as plain text", policyWith({ Principal: "me" }), 'Principal is "me"'],
    ["an unknown kind of principal", policyWith({ Principal: { Aws: "*" } }), 'unknown element "Aws"'],
    ["an unknown operator", policyWith({ Condition: { StringIs: { k: "x" } } }), 'uses "StringIs"'],
    ["Null with IfExists", policyWith({ Condition: { NullIfExists: { k: "true" } } }), 'uses "NullIfExists"'],
    [
      "an object as a condition value",
      policyWith({ Condition: { Bool: { k: {} } } }),
      "Condition.Bool.k holds {}",
    ],
  ];
  test.each(broken)("%s", (_what, policy, message) => {
    expect(() => parsePolicy(policy, "P")).toThrow(
      expect.objectContaining({
        code: "iam-policy-invalid",
        message: expect.stringContaining(message) as string,
      }),
    );
  });
});

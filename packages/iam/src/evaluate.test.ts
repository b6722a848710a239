import { expect, test } from "vitest";
import { evaluate } from "./evaluate.ts";

const request = {
  action: "s3:GetObject",
  resource: { resource: "arn:aws:s3:::b/k", accountId: "111111111111" },
  principal: "arn:aws:sts::111111111111:assumed-role/r/s",
  context: {},
};
const allow = {
  name: "p",
  policy: {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "s3:Get*", Resource: "arn:aws:s3:::b/*" },
  },
};

test("an allow in an identity policy allows within the account", () => {
  expect(evaluate({ request, identityPolicies: [allow] }).decision).toBe("Allowed");
});

test("no policy is an implicit denial by the identity", () => {
  expect(evaluate({ request })).toMatchObject({ decision: "ImplicitlyDenied", blockedBy: ["identity"] });
});

test("another account's resource has to allow too", () => {
  const other = { ...request, resource: { ...request.resource, accountId: "222222222222" } };
  expect(evaluate({ request: other, identityPolicies: [allow] })).toMatchObject({
    decision: "ImplicitlyDenied",
    blockedBy: ["resource"],
  });
});

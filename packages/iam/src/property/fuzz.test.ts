import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { evaluate } from "../evaluate.ts";
import { explain } from "../explain.ts";
import { parseCase } from "../parse-case.ts";
import { parsePolicy } from "../parse-policy.ts";

const elements = [
  "Version",
  "Statement",
  "Sid",
  "Effect",
  "Action",
  "NotAction",
  "Resource",
  "Principal",
  "Condition",
];
const odd = [
  "*",
  "",
  ":",
  "s3:*",
  "arn:aws:s3:::*",
  "${aws:username}",
  "${",
  "${*}",
  "AWS",
  "StringEquals",
  "2012-10-17",
];
const scraps = fc.oneof(
  fc.constantFrom(...odd, "Allow", "Deny", "Null", "ForAnyValue:Bool"),
  fc.string({ maxLength: 8 }),
);

/** JSON that resembles a policy in some places and in others does not. */
const { value: nearlyPolicy } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scraps,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    tie("list"),
    tie("object"),
  ),
  list: fc.array(tie("value"), { maxLength: 3 }),
  object: fc.dictionary(fc.oneof(fc.constantFrom(...elements), scraps), tie("value"), { maxKeys: 4 }),
}));

/** A statement with one element taken from the scrap heap. */
const brokenPolicy = fc.tuple(fc.constantFrom(...elements), nearlyPolicy).map(([element, value]) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*", [element]: value }],
}));

const request = {
  action: "s3:GetObject",
  resource: { resource: "arn:aws:s3:::b/k", accountId: "111111111111" },
  principal: "arn:aws:iam::111111111111:user/ann",
  context: { "k:a": "x" },
};

function attempt(what: () => unknown): void {
  try {
    what();
  } catch (error) {
    expect(isGarrisonError(error)).toBe(true);
  }
}

test("any JSON as a policy gives a decision or a named error", () => {
  fc.assert(
    fc.property(fc.oneof(nearlyPolicy, brokenPolicy), (policy) => {
      attempt(() => {
        const document = parsePolicy(policy);
        const given = { request, identityPolicies: [{ policy: document }], resourcePolicy: document };
        expect(explain(given, evaluate(given)).sentence).toContain("s3:GetObject");
      });
    }),
    { numRuns: 20_000, seed: 7 },
  );
});

test("any JSON as a case gives a decision or a named error", () => {
  const keys = [
    "request",
    "identityPolicies",
    "sessionPolicy",
    "serviceControlPolicies",
    "unknownContext",
    "other",
  ];
  const brokenCase = fc
    .dictionary(fc.constantFrom(...keys), nearlyPolicy, { maxKeys: 3 })
    .map((extra) => ({ request, identityPolicies: [], ...extra }));
  fc.assert(
    fc.property(fc.oneof(nearlyPolicy, brokenCase), (json) => attempt(() => evaluate(parseCase(json)))),
    { numRuns: 5_000, seed: 8 },
  );
});

test("any text as pattern, resource and variable gives a decision", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (pattern, text) => {
      const Statement = {
        Effect: "Allow",
        Action: "*",
        Resource: pattern,
        Condition: { StringLike: { "k:a": pattern } },
      };
      const given = {
        request: {
          ...request,
          resource: { resource: text, accountId: "111111111111" },
          context: { "k:a": text },
        },
        identityPolicies: [{ policy: { Version: "2012-10-17", Statement } }],
      };
      expect(["Allowed", "ImplicitlyDenied"]).toContain(evaluate(given).decision);
    }),
    { numRuns: 5_000, seed: 9 },
  );
});

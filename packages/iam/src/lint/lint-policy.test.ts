import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { lintPolicy } from "./lint-policy.ts";
import type { LintKind } from "./policy-kinds.ts";
import { parseServiceReference } from "./service-reference.ts";

const shipped = new URL("../../data/service-reference.jsonl", import.meta.url);
const reference = parseServiceReference(readFileSync(shipped, "utf8"));

const queue = "arn:aws:sqs:eu-central-1:111111111111:q";
const allow = { Effect: "Allow", Action: "sqs:SendMessage", Resource: queue };
const trust = { Effect: "Allow", Principal: { AWS: "111111111111" }, Action: "sts:AssumeRole" };

function findingsOf(statements: unknown, kind?: LintKind, rest: object = {}) {
  const document = { Version: "2012-10-17", Statement: statements, ...rest };
  return lintPolicy(document, { reference, ...(kind === undefined ? {} : { kind }) }).findings;
}

type Case = readonly [sentence: string, statements: unknown, found: readonly string[], kind?: LintKind];

const cases: readonly Case[] = [
  ["a sound statement", allow, []],
  ["a sound trust policy", trust, []],
  [
    "an action with a typing error",
    { ...allow, Action: "sqs:SendMesage" },
    ["error unknown-action Statement[0].Action"],
  ],
  [
    "an action of another service",
    { ...allow, Action: ["sqs:SendMessage", "sqs:GetSnapshotBlock"] },
    ["error unknown-action Statement[0].Action"],
  ],
  [
    "an action that is excepted and doesn't exist",
    { Effect: "Deny", NotAction: "sqs:Nothing", Resource: "*" },
    ["error unknown-action Statement[0].NotAction"],
  ],
  [
    "a service that doesn't exist",
    { ...allow, Action: "sqss:SendMessage" },
    ["error unknown-service Statement[0].Action"],
  ],
  [
    "a wildcard that matches nothing",
    { ...allow, Action: "sqs:Frob*" },
    ["error wildcard-matches-nothing Statement[0].Action"],
  ],
  ["a wildcard in the service", { ...allow, Action: "sq?:Send*" }, []],
  [
    "a resource that no action takes",
    { ...allow, Resource: [queue, "arn:aws:s3:::b/*"] },
    ["error resource-fits-no-action Statement[0].Resource"],
  ],
  [
    "listing a bucket by the pattern of its objects",
    { Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::b/*" },
    [
      "error resource-fits-no-action Statement[0].Resource",
      "error action-fits-no-resource Statement[0].Action",
    ],
  ],
  [
    "reading objects by the name of their bucket",
    { Effect: "Allow", Action: ["s3:ListBucket", "s3:GetObject"], Resource: "arn:aws:s3:::b" },
    ["error action-fits-no-resource Statement[0].Action"],
  ],
  [
    "a bucket and its objects by one pattern",
    { Effect: "Allow", Action: ["s3:ListBucket", "s3:GetObject"], Resource: "arn:aws:s3:::b*" },
    [],
  ],
  ["a shortened ARN", { ...allow, Resource: "arn:aws:sqs" }, []],
  ["a resource by a policy variable", { ...allow, Resource: "arn:aws:sqs:*:*:${aws:username}" }, []],
  [
    "an action that takes no resource",
    {
      Effect: "Allow",
      Action: ["ec2:DescribeInstances", "ec2:StopInstances"],
      Resource: "arn:aws:ec2:*:*:instance/*",
    },
    ["error action-needs-star Statement[0].Action"],
  ],
  [
    "only actions that take no resource",
    { Effect: "Allow", Action: "ec2:DescribeInstances", Resource: "arn:aws:ec2:*:*:instance/*" },
    ["error resource-fits-no-action Statement[0].Resource", "error action-needs-star Statement[0].Action"],
  ],
  [
    "a deny of an action that takes no resource",
    {
      Effect: "Deny",
      Action: ["ec2:DescribeInstances", "ec2:StopInstances"],
      Resource: "arn:aws:ec2:*:*:instance/*",
    },
    [],
  ],
  ["an empty list of actions", { ...allow, Action: [] }, ["error empty-list Statement[0].Action"]],
  [
    "an empty list of resources",
    { ...allow, Resource: [] },
    ["error empty-list Statement[0].Resource", "error action-fits-no-resource Statement[0].Action"],
  ],
];

const conditions: readonly (readonly [string, string, object, readonly string[]])[] = [
  ["a key of the action", "ec2:StopInstances", { StringEquals: { "ec2:ResourceTag/team": "a" } }, []],
  ["a global key", "sqs:SendMessage", { StringEquals: { "aws:PrincipalOrgID": "o-1" } }, []],
  ["a key in another case", "sqs:SendMessage", { StringEquals: { "AWS:principalorgid": "o-1" } }, []],
  [
    "a claim of an identity provider",
    "sqs:SendMessage",
    { StringEquals: { "token.actions.githubusercontent.com:sub": "x" } },
    [],
  ],
  [
    "a key that doesn't exist",
    "sqs:SendMessage",
    { StringEquals: { "aws:PrincipalOrgId2": "o" } },
    ["error unknown-condition-key Statement[0].Condition.StringEquals.aws:PrincipalOrgId2"],
  ],
  [
    "a key that the action doesn't carry",
    "sqs:SendMessage",
    { StringEquals: { "ec2:InstanceType": "t3.nano" } },
    ["error condition-key-of-no-action Statement[0].Condition.StringEquals.ec2:InstanceType"],
  ],
  [
    "a negated test of a key that the action doesn't carry",
    "sqs:SendMessage",
    { StringNotEquals: { "ec2:InstanceType": "t3.nano" } },
    ["warning condition-key-of-no-action Statement[0].Condition.StringNotEquals.ec2:InstanceType"],
  ],
  [
    "a tag of the request where none is sent",
    "ec2:StopInstances",
    { StringEquals: { "aws:RequestTag/team": "a" } },
    ["error condition-key-of-no-action Statement[0].Condition.StringEquals.aws:RequestTag/team"],
  ],
  [
    "an operator for another type",
    "sqs:SendMessage",
    { NumericLessThan: { "aws:PrincipalOrgID": "5" } },
    ["error operator-for-type Statement[0].Condition.NumericLessThan.aws:PrincipalOrgID"],
  ],
  [
    "text compared with a truth value",
    "sqs:SendMessage",
    { StringEquals: { "aws:SecureTransport": "true" } },
    ["warning operator-for-type Statement[0].Condition.StringEquals.aws:SecureTransport"],
  ],
  [
    "an address compared as text",
    "sqs:SendMessage",
    { StringLike: { "aws:SourceIp": "10.*" } },
    ["warning operator-for-type Statement[0].Condition.StringLike.aws:SourceIp"],
  ],
  [
    "an ARN compared as text",
    "sqs:SendMessage",
    { StringLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/a*" } },
    [],
  ],
  [
    "seconds compared as a number",
    "sqs:SendMessage",
    { NumericLessThan: { "aws:EpochTime": "1900000000" } },
    [],
  ],
  [
    "an address that is none",
    "sqs:SendMessage",
    { IpAddress: { "aws:SourceIp": ["10.0.0.0/8", "10.0.0.0/33"] } },
    ["error condition-value Statement[0].Condition.IpAddress.aws:SourceIp"],
  ],
  [
    "a date that is none",
    "sqs:SendMessage",
    { DateLessThan: { "aws:CurrentTime": "soon" } },
    ["error condition-value Statement[0].Condition.DateLessThan.aws:CurrentTime"],
  ],
  [
    "a truth value that is none",
    "sqs:SendMessage",
    { Null: { "aws:SourceVpce": "yes" } },
    ["error condition-value Statement[0].Condition.Null.aws:SourceVpce"],
  ],
  [
    "a number that is none",
    "s3:ListBucket",
    { NumericLessThan: { "s3:max-keys": "ten" } },
    ["error condition-value Statement[0].Condition.NumericLessThan.s3:max-keys"],
  ],
  [
    "an ARN that is none",
    "sqs:SendMessage",
    { ArnLike: { "aws:PrincipalArn": "role/a" } },
    ["error condition-value Statement[0].Condition.ArnLike.aws:PrincipalArn"],
  ],
  [
    "a value by a policy variable",
    "sqs:SendMessage",
    { ArnLike: { "aws:PrincipalArn": "${aws:SourceArn}" } },
    [],
  ],
  [
    "several values without a set operator",
    "ec2:CreateTags",
    { StringEquals: { "aws:TagKeys": "team" } },
    ["warning set-operator Statement[0].Condition.StringEquals.aws:TagKeys"],
  ],
  [
    "a set operator for one value",
    "sqs:SendMessage",
    { "ForAllValues:StringEquals": { "aws:PrincipalOrgID": "o" } },
    ["warning set-operator Statement[0].Condition.ForAllValues:StringEquals.aws:PrincipalOrgID"],
  ],
  [
    "all values, which may be none",
    "ec2:CreateTags",
    { "ForAllValues:StringEquals": { "aws:TagKeys": "team" } },
    ["warning set-operator Statement[0].Condition.ForAllValues:StringEquals.aws:TagKeys"],
  ],
  ["any value", "ec2:CreateTags", { "ForAnyValue:StringEquals": { "aws:TagKeys": "team" } }, []],
  [
    "an operator that doesn't exist",
    "sqs:SendMessage",
    { StringEqual: { "aws:PrincipalOrgID": "o" } },
    ["error unknown-operator Statement[0].Condition"],
  ],
];

const reach: readonly Case[] = [
  [
    "a deny of everything over an allow",
    [allow, { Effect: "Deny", Action: "sqs:*", Resource: "*" }],
    ["error unreachable-statement Statement[0]"],
  ],
  [
    "a deny by what it doesn't list",
    [allow, { Effect: "Deny", NotAction: ["s3:*", "ec2:*"], Resource: "*" }],
    ["error unreachable-statement Statement[0]"],
  ],
  ["a deny that spares the action", [allow, { Effect: "Deny", NotAction: ["sqs:Send*"], Resource: "*" }], []],
  [
    "a deny under a condition",
    [
      allow,
      {
        Effect: "Deny",
        Action: "sqs:*",
        Resource: "*",
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
    [],
  ],
  [
    "a deny under the allow's own condition",
    [
      { ...allow, Condition: { Bool: { "aws:SecureTransport": "false" } } },
      {
        Effect: "Deny",
        Action: "sqs:*",
        Resource: "*",
        Condition: { bool: { "AWS:SecureTransport": ["false"] } },
      },
    ],
    ["error unreachable-statement Statement[0]"],
  ],
  [
    "a deny of other resources",
    [allow, { Effect: "Deny", Action: "sqs:*", Resource: "arn:aws:sqs:*:*:other*" }],
    [],
  ],
  [
    "a deny of one of the actions",
    [
      { ...allow, Action: ["sqs:SendMessage", "sqs:ReceiveMessage"] },
      { Effect: "Deny", Action: "sqs:Receive*", Resource: "*" },
    ],
    ["warning action-denied-anyway Statement[0].Action"],
  ],
  [
    "denies that leave none of the actions",
    [
      { ...allow, Action: ["sqs:SendMessage", "sqs:ReceiveMessage"] },
      { Effect: "Deny", Action: "sqs:Receive*", Resource: "*" },
      { Effect: "Deny", Action: "sqs:Send*", Resource: "*" },
    ],
    ["error unreachable-statement Statement[0]"],
  ],
  [
    "a statement that another one contains",
    [{ Effect: "Allow", Action: "sqs:*", Resource: "arn:aws:sqs:*:*:*" }, allow],
    ["warning contained-statement Statement[1]"],
  ],
  [
    "the same statement twice",
    [allow, { ...allow, Sid: "Again" }],
    ["warning contained-statement Statement[1]"],
  ],
  [
    "a statement under one more condition",
    [{ ...allow, Condition: { Bool: { "aws:SecureTransport": "true" } } }, allow],
    ["warning contained-statement Statement[0]"],
  ],
  [
    "a question mark is not a star",
    [
      { ...allow, Action: "sqs:Send?essage" },
      { ...allow, Action: "sqs:S*e" },
    ],
    ["warning contained-statement Statement[0]"],
  ],
  [
    "the same variable",
    [
      { ...allow, Resource: "arn:aws:sqs:*:*:${aws:username}" },
      { ...allow, Resource: "arn:aws:sqs:*:*:${aws:username}" },
    ],
    ["warning contained-statement Statement[1]"],
  ],
  [
    "another variable",
    [
      { ...allow, Resource: "arn:aws:sqs:*:*:${aws:username}" },
      { ...allow, Resource: "arn:aws:sqs:*:*:${aws:userid}" },
    ],
    [],
  ],
  [
    "two statements with one Sid",
    [
      { ...allow, Sid: "A" },
      { ...trust, Principal: undefined, Sid: "A", Resource: "*", Action: "sts:GetCallerIdentity" },
    ],
    ["error duplicate-sid Statement[1].Sid"],
  ],
];

const everything = { Effect: "Allow", Action: "*", Resource: "*" };
const kinds: readonly Case[] = [
  ["everything allowed", everything, ["warning allow-everything Statement[0].Action"]],
  ["everything allowed by a guardrail", everything, [], "scp"],
  [
    "all but some actions allowed",
    { Effect: "Allow", NotAction: "iam:*", Resource: "*" },
    ["warning allow-not-action Statement[0].NotAction"],
  ],
  ["all but some actions denied", { Effect: "Deny", NotAction: "iam:*", Resource: "*" }, []],
  [
    "all but somebody allowed",
    { Effect: "Allow", NotPrincipal: { AWS: "111111111111" }, Action: "sqs:SendMessage", Resource: queue },
    ["warning allow-not-principal Statement[0].NotPrincipal"],
  ],
  [
    "a principal in a managed policy",
    { ...allow, Principal: "*" },
    ["error element-of-kind Statement[0].Principal"],
    "managed",
  ],
  [
    "a statement about nothing in a managed policy",
    { Effect: "Allow", Action: "sqs:SendMessage" },
    ["error element-of-kind Statement[0].Resource"],
    "managed",
  ],
  [
    "a resource in a trust policy",
    { ...trust, Resource: "*" },
    ["error element-of-kind Statement[0].Resource"],
    "trust",
  ],
  [
    "nobody in a bucket policy",
    { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" },
    ["error element-of-kind Statement[0].Principal"],
    "resource",
  ],
  [
    "an allow in a resource control policy",
    { ...allow, Principal: "*" },
    ["error element-of-kind Statement[0].Effect"],
    "rcp",
  ],
  ["RCPFullAWSAccess", { ...everything, Principal: "*" }, [], "rcp"],
  [
    "a deny for some principals in a resource control policy",
    { Effect: "Deny", Principal: { AWS: "111111111111" }, Action: "sqs:*", Resource: "*" },
    ["error element-of-kind Statement[0].Principal"],
    "rcp",
  ],
  [
    "a Sid with spaces in a managed policy",
    { ...allow, Sid: "my queue" },
    ["error element-of-kind Statement[0].Sid"],
    "managed",
  ],
  [
    "a Sid with spaces in a bucket policy",
    { ...allow, Sid: "my queue", Principal: { AWS: "111111111111" } },
    [],
    "resource",
  ],
  ["something that is no statement", [5, allow], ["error grammar Statement[0]"]],
  ["an effect that doesn't exist", { ...allow, Effect: "Permit" }, ["error grammar Statement[0]"]],
];

function describeFindings(statements: unknown, kind?: LintKind) {
  return findingsOf(statements, kind).map(({ severity, code, where }) => `${severity} ${code} ${where}`);
}

describe("linting finds in", () => {
  const all = [...cases, ...reach, ...kinds].map(([sentence, statements, found, kind]) => ({
    sentence,
    statements,
    found,
    kind,
  }));
  test.each(all)("$sentence: what is wrong with it", ({ statements, found, kind }) => {
    expect(describeFindings(statements, kind)).toEqual(found);
  });
  test.each(conditions)("a condition with %s: what is wrong with it", (...[, Action, Condition, found]) => {
    expect(describeFindings({ Effect: "Allow", Action, Resource: "*", Condition })).toEqual(found);
  });
});

test("one mistake doesn't hide another one", () => {
  const statements = [
    { ...allow, Effect: "Permit" },
    { ...allow, Action: "sqs:SendMesage" },
    { ...allow, Condition: { StringEqual: {} } },
  ];
  expect(findingsOf(statements).map(({ code }) => code)).toEqual([
    "grammar",
    "unknown-action",
    "unknown-operator",
  ]);
});

test("the word that was meant is suggested", () => {
  const suggested = (change: object) => findingsOf({ ...allow, Resource: "*", ...change })[0]?.suggestion;
  expect(suggested({ Action: "sqs:SendMesage" })).toBe("sqs:SendMessage");
  expect(suggested({ Action: "sqss:SendMessage" })).toBe("sqs:SendMessage");
  expect(suggested({ Action: "ec2:GetSnapshotBlock" })).toBe("ebs:GetSnapshotBlock");
  expect(suggested({ Action: "sqs:Utterly" })).toBe(undefined);
  expect(suggested({ Condition: { StringEquals: { "aws:PrincipleOrgID": "o" } } })).toBe(
    "aws:PrincipalOrgID",
  );
  expect(suggested({ Condition: { "ForAnyValue:StringEqualIfExists": {} } })).toBe(
    "ForAnyValue:StringEqualsIfExists",
  );
});

test("a variable without the version of 2012 is told", () => {
  const policy = { Statement: { ...allow, Resource: "arn:aws:sqs:*:*:${aws:username}" } };
  const codes = (document: object) => lintPolicy(document, { reference }).findings.map(({ code }) => code);
  expect(codes(policy)).toEqual(["version-missing"]);
  expect(codes({ ...policy, Version: "2008-10-17" })).toEqual(["version-missing"]);
  expect(codes({ ...policy, Version: "2012-10-17" })).toEqual([]);
});

test.each([
  ["managed", 6_144],
  ["inline", 10_240],
  ["trust", 2_048],
  ["scp", 5_120],
  ["rcp", 5_120],
  ["session", 2_048],
] as const)("a document of kind %s with one character too many is told", (kind, limit) => {
  const ofChars = (chars: number) => {
    const document = { Version: "2012-10-17", Id: "", Statement: [] };
    return { ...document, Id: "x".repeat(chars - JSON.stringify(document).length) };
  };
  const codes = (document: object) =>
    lintPolicy(document, { reference, kind }).findings.map(({ code }) => code);
  expect(codes(ofChars(limit))).toEqual([]);
  expect(codes(ofChars(limit + 1))).toEqual(["oversize"]);
});

test("white space counts only where AWS counts it, and is then told as what to remove", () => {
  const document = { Version: "2012-10-17", Statement: { ...allow, Resource: "*" } };
  const text = JSON.stringify(document).replace("{", `{${" ".repeat(6_000)}`);
  const found = (kind: LintKind) =>
    lintPolicy(document, { reference, kind, text }).findings.map(({ severity }) => severity);
  expect(["scp", "session", "managed", "inline"].map((kind) => found(kind as LintKind))).toEqual([
    ["warning"],
    ["warning"],
    [],
    [],
  ]);
});

test("what is no policy at all is told, not thrown", () => {
  const told = [null, 5, "x", [], {}, { Statement: null }, { Statement: {}, Extra: 1 }].map(
    (json) => lintPolicy(json, { reference }).findings.length > 0,
  );
  expect(told).toEqual(told.map(() => true));
});

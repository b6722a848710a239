import { expect, test } from "vitest";
import { compareRoles, mergeObserved } from "./compare-roles.ts";
import type { ObservedRole } from "./observed-role.ts";

const roleArn = "arn:aws:iam::222222222222:role/garrison-worker";
const document = (action: string) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: action, Resource: "*" }],
});
const base: ObservedRole = {
  roleArn,
  trust: document("sts:AssumeRole"),
  inlinePolicies: { "garrison-worker": document("sqs:SendMessage") },
  attachedPolicies: [],
  boundary: null,
  instanceProfiles: ["garrison-worker"],
  unread: [],
};

test("a role that is as it was shows nothing", () => {
  expect(compareRoles(base, structuredClone(base))).toEqual([]);
});

test("each part that differs is shown with its documents before and after", () => {
  const guard = { arn: "arn:aws:iam::222222222222:policy/guard", document: document("s3:*") };
  const now: ObservedRole = {
    ...base,
    trust: document("sts:TagSession"),
    inlinePolicies: { theirs: document("ec2:*") },
    attachedPolicies: [guard],
    boundary: guard,
    instanceProfiles: [],
  };
  expect(compareRoles(base, now)).toEqual([
    { part: "trust policy", before: document("sts:AssumeRole"), after: document("sts:TagSession") },
    { part: "inline policy garrison-worker", before: document("sqs:SendMessage") },
    { part: "inline policy theirs", after: document("ec2:*") },
    { part: "attached policy arn:aws:iam::222222222222:policy/guard", after: document("s3:*") },
    { part: "permissions boundary", after: guard },
    {
      part: "instance profiles",
      before: { InstanceProfiles: ["garrison-worker"] },
      after: { InstanceProfiles: [] },
    },
  ]);
});

test("what nobody could read is no change, and stays known as it was", () => {
  const { inlinePolicies: _unread, ...rest } = base;
  const now: ObservedRole = { ...rest, unread: ["its inline policies"] };
  expect(compareRoles(base, now)).toEqual([]);
  expect(mergeObserved(base, now).inlinePolicies).toEqual(base.inlinePolicies);
});

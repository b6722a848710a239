import { expect, test } from "vitest";
import { explainInsufficient } from "./explain-insufficient.ts";

const roleArn = "arn:aws:iam::222222222222:role/garrison-backup-ec2";
const refusals = [{ roleArn, action: "ec2:CreateSnapshots", resource: "*" }];
const whole = { status: "succeeded", said: "the log", refusals: [] } as const;

test("a run that ends as it should and does everything has nothing to explain", () => {
  expect(explainInsufficient("succeeded", whole)).toBeUndefined();
});

test("a run that fails tells the step, the call that was refused and to whom, and then its log", () => {
  const failed = {
    ...whole,
    status: "failed",
    failedAt: "take snapshots: aws-access-denied",
    refusals,
  } as const;
  expect(explainInsufficient("succeeded", failed)).toBe(
    [
      "it failed: take snapshots: aws-access-denied",
      "refused: ec2:CreateSnapshots on *, to arn:aws:iam::222222222222:role/garrison-backup-ec2",
      "the log",
    ].join("\n"),
  );
});

test("a run that succeeds is not enough when it left something behind or did less than it should", () => {
  const less = { ...whole, leftBehind: ["snap-1 (snapshots)"], shortOf: ["read only what changed"] };
  expect(explainInsufficient("succeeded", less)).toBe(
    "left behind: snap-1 (snapshots)\nit did not read only what changed\nthe log",
  );
});

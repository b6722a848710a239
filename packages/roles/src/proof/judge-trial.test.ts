import { expect, test } from "vitest";
import { judgeTrial } from "./judge-trial.ts";

const roleArn = "arn:aws:iam::222222222222:role/garrison-backup-ec2";
const action = "sqs:DeleteQueue";
const trial = { roleArn, action, isCheck: false, expected: "succeeded", usual: [] } as const;
const refusals = [{ roleArn, action, resource: "arn:aws:sqs:eu-central-1:222222222222:garrison-x-in" }];

test("a run that fails and says why proves the right necessary", () => {
  const said = "deleting the queue (sqs:DeleteQueue is denied)";
  expect(judgeTrial({ ...trial, outcome: { status: "failed", said, refusals } })).toEqual({
    verdict: "necessary",
    effect: "run-fails",
    namedBy: "run",
  });
});

test("a run that fails without naming the action is told by the call log", () => {
  const outcome = { status: "failed", said: "the worker is silent", refusals } as const;
  expect(judgeTrial({ ...trial, outcome })).toMatchObject({ verdict: "necessary", namedBy: "call-log" });
});

test("a run that passes and leaves something to the sweeper needed the right", () => {
  const said = "queue is left to the sweeper: aws-access-denied: deleting (sqs:DeleteQueue is denied)";
  expect(judgeTrial({ ...trial, outcome: { status: "succeeded", said, refusals } })).toMatchObject({
    verdict: "necessary",
    effect: "left-behind",
  });
});

test("what is there afterwards and would not be otherwise needed the right too", () => {
  const outcome = { status: "succeeded", said: "", refusals, leftBehind: ["probe/0a/b"] } as const;
  expect(judgeTrial({ ...trial, outcome })).toEqual({
    verdict: "necessary",
    effect: "left-behind",
    namedBy: "call-log",
  });
});

test("what is done otherwise and was not done now needed the right", () => {
  const outcome = { status: "succeeded", said: "", refusals, shortOf: ["read only what changed"] } as const;
  expect(judgeTrial({ ...trial, outcome })).toEqual({
    verdict: "necessary",
    effect: "falls-short",
    shortOf: ["read only what changed"],
    namedBy: "call-log",
  });
});

test("a run that fails for another reason proves nothing, and the account tells where it failed", () => {
  const outcome = {
    status: "failed",
    said: "the machine is busy",
    failedAt: "launch the worker: worker-lost",
    refusals: [],
  } as const;
  expect(judgeTrial({ ...trial, outcome })).toEqual({
    verdict: "superfluous",
    reason:
      "sqs:DeleteQueue was taken from arn:aws:iam::222222222222:role/garrison-backup-ec2, and this time nothing asked for it; it failed (launch the worker: worker-lost).",
  });
});

test("a denial that nobody notices makes the right superfluous, and the account names the call", () => {
  expect(judgeTrial({ ...trial, outcome: { status: "succeeded", said: "", refusals } })).toEqual({
    verdict: "superfluous",
    reason: [
      "sqs:DeleteQueue was refused, and yet it succeeded as with all rights, left nothing behind and did not name the action.",
      "refused: sqs:DeleteQueue on arn:aws:sqs:eu-central-1:222222222222:garrison-x-in, to arn:aws:iam::222222222222:role/garrison-backup-ec2",
    ].join("\n"),
  });
});

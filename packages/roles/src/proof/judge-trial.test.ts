import { expect, test } from "vitest";
import { judgeTrial } from "./judge-trial.ts";

const roleArn = "arn:aws:iam::222222222222:role/garrison-backup-ec2";
const action = "sqs:DeleteQueue";
const trial = { roleArn, action, isCheck: false, expected: "succeeded" } as const;
const denied = new Set([`${roleArn} ${action}`]);

test("a run that fails and says why proves the right necessary", () => {
  const said = "deleting the queue (sqs:DeleteQueue is denied)";
  expect(judgeTrial({ ...trial, outcome: { status: "failed", said, denied } })).toEqual({
    verdict: "necessary",
    effect: "run-fails",
    namedBy: "run",
  });
});

test("a run that fails without naming the action is told by the call log", () => {
  const outcome = { status: "failed", said: "the worker is silent", denied } as const;
  expect(judgeTrial({ ...trial, outcome })).toMatchObject({ verdict: "necessary", namedBy: "call-log" });
});

test("a run that passes and leaves something to the sweeper needed the right", () => {
  const said = "queue is left to the sweeper: aws-access-denied: deleting (sqs:DeleteQueue is denied)";
  expect(judgeTrial({ ...trial, outcome: { status: "succeeded", said, denied } })).toMatchObject({
    verdict: "necessary",
    effect: "left-behind",
  });
});

test("what is there afterwards and would not be otherwise needed the right too", () => {
  const outcome = { status: "succeeded", said: "", denied, leftBehind: ["probe/0a/b"] } as const;
  expect(judgeTrial({ ...trial, outcome })).toEqual({
    verdict: "necessary",
    effect: "left-behind",
    namedBy: "call-log",
  });
});

test("a run that fails for another reason proves nothing", () => {
  const outcome = { status: "failed", said: "the machine is busy", denied: new Set<string>() } as const;
  expect(judgeTrial({ ...trial, outcome })).toEqual({ verdict: "superfluous" });
});

test("a denial that nobody notices makes the right superfluous", () => {
  expect(judgeTrial({ ...trial, outcome: { status: "succeeded", said: "", denied } })).toEqual({
    verdict: "superfluous",
  });
});

import { expect, test } from "vitest";
import { exportRole } from "../export-role.ts";
import { askElsewhere } from "./ask-elsewhere.ts";
import { listProofSubjects } from "./proof-subject.ts";

const account = "222222222222";
const installation = "0a1b2c3d";
const documents = exportRole("backup-ec2", {
  accounts: { backup: "111111111111", production: account },
  withWorkersInProduction: true,
  regions: ["eu-central-1"],
  installation,
  externalId: "unused",
});
const subjectOf = (grantId: string, action: string) =>
  listProofSubjects(["ec2.image-backup"]).find(
    (one) => one.role === "backup-ec2" && one.grant.id === grantId && one.action === action,
  )!;
const requestOf = (action: string, resource: string, context = {}) => ({
  action,
  resource: { resource, accountId: account },
  principal: `arn:aws:sts::${account}:assumed-role/garrison-backup-ec2/one`,
  context: { "aws:RequestedRegion": "eu-central-1", ...context },
});

test("a right on our snapshots is denied on those without our tag, and in another Region", () => {
  const subject = subjectOf("backup-delete-snapshots", "ec2:DeleteSnapshot");
  const tag = { "aws:ResourceTag/garrison:installation": installation };
  const request = requestOf("ec2:DeleteSnapshot", "arn:aws:ec2:eu-central-1::snapshot/snap-1", tag);
  expect(askElsewhere(subject, documents, request)).toEqual({
    deniedElsewhere: [
      "another aws:ResourceTag/garrison:installation",
      "no aws:ResourceTag/garrison:installation",
      "another Region",
    ],
  });
});

test("a right on one worker's queues is denied on a queue of another account and of another name", () => {
  const subject = subjectOf("worker-queue-in", "sqs:SendMessage");
  const queue = `arn:aws:sqs:eu-central-1:${account}:garrison-${installation}-d4c3b2a1-in`;
  expect(askElsewhere(subject, documents, requestOf("sqs:SendMessage", queue)).deniedElsewhere).toEqual([
    "another account's resource",
    "a resource of another name",
    "another Region",
  ]);
});

test("a role that would be allowed elsewhere is told apart", () => {
  const subject = subjectOf("worker-queue-in", "sqs:SendMessage");
  const wide = exportRole("backup-ec2", {
    form: "compatible",
    accounts: { backup: "111111111111", production: account },
    withWorkersInProduction: true,
    externalId: "unused",
  });
  const queue = `arn:aws:sqs:eu-central-1:${account}:garrison-${installation}-d4c3b2a1-in`;
  expect(askElsewhere(subject, wide, requestOf("sqs:SendMessage", queue))).toEqual({
    allowedElsewhere: ["another account's resource", "a resource of another name", "another Region"],
  });
});

test("a request that the documents don't give proves nothing, and says so", () => {
  const subject = subjectOf("worker-queue-in", "sqs:SendMessage");
  const foreign = requestOf("sqs:SendMessage", "arn:aws:sqs:eu-central-1:222222222222:orders");
  expect(() => askElsewhere(subject, documents, foreign)).toThrow(
    expect.objectContaining({ code: "internal" }),
  );
});

import { evaluate } from "@garrison/iam/evaluate";
import { describe, expect, test } from "vitest";
import {
  ebsReadPolicy,
  ebsWritePolicy,
  repositoryReadPolicy,
  repositoryWritePolicy,
} from "./session-policies.ts";

const everything = [
  {
    name: "everything",
    policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
  },
];

/** What a role that may do everything is left with under the session policy. */
function under(sessionPolicy: object) {
  return (action: string, resource: string, context: Record<string, string> = {}): string =>
    evaluate({
      request: {
        action,
        resource: { resource, accountId: "222222222222" },
        principal: "arn:aws:sts::222222222222:assumed-role/garrison-backup-ec2/task",
        context,
      },
      identityPolicies: everything,
      sessionPolicy,
    }).decision;
}

const read = ebsReadPolicy({
  partition: "aws",
  region: "eu-central-1",
  runs: ["run-1", "run-0"],
  kmsKeyArns: [],
});
const snapshot = "arn:aws:ec2:eu-central-1::snapshot/snap-1";

describe("rights lent for reading EBS", () => {
  test("cover the snapshots of the run and of its base", () => {
    const decisions = ["run-1", "run-0"].map((run) =>
      under(read)("ebs:GetSnapshotBlock", snapshot, { "aws:ResourceTag/garrison:run": run }),
    );
    expect(decisions).toEqual(["Allowed", "Allowed"]);
  });
  test("cover no other snapshot", () => {
    expect(under(read)("ebs:GetSnapshotBlock", snapshot, { "aws:ResourceTag/garrison:run": "run-2" })).toBe(
      "ImplicitlyDenied",
    );
    expect(under(read)("ebs:GetSnapshotBlock", snapshot)).toBe("ImplicitlyDenied");
  });
  test("delete nothing", () => {
    expect(under(read)("ec2:DeleteSnapshot", snapshot, { "aws:ResourceTag/garrison:run": "run-1" })).toBe(
      "ImplicitlyDenied",
    );
  });
});

describe("rights lent for writing EBS", () => {
  const write = ebsWritePolicy({
    partition: "aws",
    region: "eu-central-1",
    snapshotIds: ["snap-1"],
    kmsKeyArns: [],
  });
  test("put blocks into the given snapshot only", () => {
    expect(under(write)("ebs:PutSnapshotBlock", snapshot)).toBe("Allowed");
    expect(under(write)("ebs:PutSnapshotBlock", snapshot.replace("snap-1", "snap-2"))).toBe(
      "ImplicitlyDenied",
    );
    expect(under(write)("ebs:CompleteSnapshot", snapshot)).toBe("ImplicitlyDenied");
  });
});

const scope = { partition: "aws", bucket: "backups", prefix: "garrison", domain: "222222222222" };
const object = (name: string) => `arn:aws:s3:::backups/garrison/${name}`;

describe("rights lent for writing a repository", () => {
  const write = repositoryWritePolicy({ ...scope, sessionId: "00aa00aa00aa00aa" });
  const fresh = { "s3:if-none-match": "*" };
  test("create objects of the session, only where none is", () => {
    const pack = object("222222222222/pack/00aa00aa00aa00aa/01020304-1");
    expect(under(write)("s3:PutObject", pack, fresh)).toBe("Allowed");
    expect(under(write)("s3:PutObject", pack)).toBe("ImplicitlyDenied");
    expect(under(write)("s3:DeleteObject", pack, fresh)).toBe("ImplicitlyDenied");
  });
  test("reach no other session, series slot or domain", () => {
    const neighbours = [
      "222222222222/pack/00bb/1",
      "222222222222/point/abc/00bb",
      "333333333333/pack/00aa00aa00aa00aa/1",
      "key/1",
    ];
    expect(neighbours.map((name) => under(write)("s3:PutObject", object(name), fresh))).toEqual(
      Array(4).fill("ImplicitlyDenied"),
    );
  });
  test("lock nothing unless they may, and then for no longer than they may", () => {
    const pack = object("222222222222/pack/00aa00aa00aa00aa/01020304-1");
    const days = (count: number) => ({ "s3:object-lock-remaining-retention-days": String(count) });
    expect(under(write)("s3:PutObjectRetention", pack, days(1))).toBe("ImplicitlyDenied");
    const locking = repositoryWritePolicy({ ...scope, sessionId: "00aa00aa00aa00aa", lockDays: 120 });
    expect(under(locking)("s3:PutObjectRetention", pack, days(120))).toBe("Allowed");
    expect(under(locking)("s3:PutObjectRetention", pack, days(122))).toBe("ImplicitlyDenied");
    expect(under(locking)("s3:PutObjectRetention", pack)).toBe("ImplicitlyDenied");
    expect(under(locking)("s3:PutObjectRetention", object("222222222222/pack/00bb/1"), days(1))).toBe(
      "ImplicitlyDenied",
    );
    expect(under(locking)("s3:BypassGovernanceRetention", pack, days(1))).toBe("ImplicitlyDenied");
  });
  test("list the domain's points and own objects only", () => {
    const bucket = "arn:aws:s3:::backups";
    expect(under(write)("s3:ListBucket", bucket, { "s3:prefix": "garrison/222222222222/point/abc/" })).toBe(
      "Allowed",
    );
    expect(under(write)("s3:ListBucket", bucket, { "s3:prefix": "garrison/333333333333/point/" })).toBe(
      "ImplicitlyDenied",
    );
    expect(under(write)("s3:ListBucket", bucket)).toBe("ImplicitlyDenied");
  });
});

test("rights lent for a restore only read", () => {
  const restore = repositoryReadPolicy(scope);
  expect(under(restore)("s3:GetObject", object("222222222222/pack/00bb/1"))).toBe("Allowed");
  expect(
    under(restore)("s3:PutObject", object("222222222222/pack/00bb/1"), { "s3:if-none-match": "*" }),
  ).toBe("ImplicitlyDenied");
  expect(under(restore)("s3:GetObject", object("key/1"))).toBe("ImplicitlyDenied");
});

test("every policy fits into the 2,048 characters of AssumeRole", () => {
  const wide = {
    ...scope,
    prefix: "a".repeat(60),
    bucket: "b".repeat(63),
    bucketKeyArn: `arn:aws:kms:eu-central-1:111111111111:key/${"0".repeat(36)}`,
  };
  const policies = [
    read,
    repositoryReadPolicy(wide),
    repositoryWritePolicy({ ...wide, sessionId: "00aa00aa00aa00aa", lockDays: 36_500 }),
  ];
  expect(policies.filter((policy) => JSON.stringify(policy).length > 2048)).toEqual([]);
});

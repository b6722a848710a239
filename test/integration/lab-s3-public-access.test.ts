import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  GetBucketPolicyStatusCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketAclCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

const region = "eu-central-1";
const account = "111111111111";
const stranger = "222222222222";
let folder: string;
let lab: RunningLab;
let owner: S3Client;
let other: S3Client;
let Bucket: string;
let buckets = 0;

const open = (accountId: string) =>
  new S3Client({
    endpoint: lab.endpoint,
    region,
    forcePathStyle: true,
    credentials: lab.operators[accountId]!,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-s3-public-"));
  lab = await startLab({ dataDir: folder, seed: "demo" });
  owner = open(account);
  other = open(stranger);
});

afterAll(async () => {
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  buckets += 1;
  Bucket = `public-access-${buckets}`;
  const CreateBucketConfiguration = { LocationConstraint: region } as const;
  await owner.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
  await owner.send(new PutObjectCommand({ Bucket, Key: "file", Body: "open?" }));
});

/** As the lab makes them up. */
const canonicalId = (accountId: string) => Buffer.from(accountId.padEnd(32, "0")).toString("hex");
const anonymously = async () => (await fetch(`${lab.endpoint}/${Bucket}/file`)).status;
const asStranger = () => outcome(other.send(new GetObjectCommand({ Bucket, Key: "file" })));

async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "done";
  } catch (error) {
    return (error as Error).name;
  }
}

const openToAll = () =>
  new PutBucketPolicyCommand({
    Bucket,
    Policy: JSON.stringify({
      Version: "2012-10-17",
      Statement: {
        Effect: "Allow",
        Principal: "*",
        Action: "s3:GetObject",
        Resource: `arn:aws:s3:::${Bucket}/*`,
      },
    }),
  });

const block = (settings: object) =>
  owner.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: settings }));

const takeAcls = () =>
  owner.send(
    new PutBucketOwnershipControlsCommand({
      Bucket,
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerPreferred" }] },
    }),
  );

test("a new bucket takes no policy that opens it to everybody", async () => {
  expect(await outcome(owner.send(openToAll()))).toBe("AccessDenied");
  await owner.send(new DeletePublicAccessBlockCommand({ Bucket }));
  expect(await outcome(owner.send(openToAll()))).toBe("done");
  const { PolicyStatus } = await owner.send(new GetBucketPolicyStatusCommand({ Bucket }));
  expect(PolicyStatus).toEqual({ IsPublic: true });
});

test("RestrictPublicBuckets shuts a public bucket for everybody but its own account", async () => {
  await owner.send(new DeletePublicAccessBlockCommand({ Bucket }));
  await owner.send(openToAll());
  expect([await anonymously(), await asStranger()]).toEqual([200, "done"]);
  await block({ RestrictPublicBuckets: true });
  expect([await anonymously(), await asStranger()]).toEqual([403, "AccessDenied"]);
  expect(await outcome(owner.send(new GetObjectCommand({ Bucket, Key: "file" })))).toBe("done");
});

test("a bucket whose owner is enforced takes no ACLs but those that say what holds anyway", async () => {
  const put = (ACL: "private" | "public-read") =>
    outcome(owner.send(new PutBucketAclCommand({ Bucket, ACL })));
  await owner.send(new DeletePublicAccessBlockCommand({ Bucket }));
  expect([await put("public-read"), await put("private")]).toEqual(["AccessControlListNotSupported", "done"]);
});

test("a bucket can't be made with an ACL where its owner is enforced", async () => {
  const CreateBucketConfiguration = { LocationConstraint: region } as const;
  const own = {
    Bucket: `${Bucket}-acl`,
    CreateBucketConfiguration,
    GrantRead: `id="${canonicalId(stranger)}"`,
  };
  expect(await outcome(owner.send(new CreateBucketCommand(own)))).toBe("InvalidBucketAclWithObjectOwnership");
  await owner.send(new CreateBucketCommand({ ...own, ObjectOwnership: "ObjectWriter" }));
  const list = new ListObjectsV2Command({ Bucket: own.Bucket });
  expect(await outcome(other.send(list))).toBe("done");
});

test("an object's ACL opens it, until public ACLs are ignored", async () => {
  await takeAcls();
  await owner.send(new DeletePublicAccessBlockCommand({ Bucket }));
  expect(await anonymously()).toBe(403);
  await owner.send(new PutObjectAclCommand({ Bucket, Key: "file", ACL: "public-read" }));
  expect(await anonymously()).toBe(200);
  const { Grants } = await owner.send(new GetObjectAclCommand({ Bucket, Key: "file" }));
  expect(Grants!.map(({ Grantee, Permission }) => [Grantee!.Type, Grantee!.URI, Permission])).toEqual([
    ["CanonicalUser", undefined, "FULL_CONTROL"],
    ["Group", "http://acs.amazonaws.com/groups/global/AllUsers", "READ"],
  ]);
  await block({ IgnorePublicAcls: true });
  expect(await anonymously()).toBe(403);
});

test("BlockPublicAcls refuses a call that would open something, in each form", async () => {
  await takeAcls();
  await block({ BlockPublicAcls: true });
  const everybody = "http://acs.amazonaws.com/groups/global/AllUsers";
  const Grants = [{ Grantee: { Type: "Group" as const, URI: everybody }, Permission: "READ" as const }];
  const Owner = { ID: "any" };
  const forms = [
    new PutBucketAclCommand({ Bucket, ACL: "public-read" }),
    new PutBucketAclCommand({ Bucket, GrantRead: `uri="${everybody}"` }),
    new PutBucketAclCommand({ Bucket, AccessControlPolicy: { Grants, Owner } }),
  ];
  for (const form of forms) expect(await outcome(owner.send(form))).toBe("AccessDenied");
  const put = new PutObjectCommand({ Bucket, Key: "file", Body: "x", ACL: "public-read" });
  expect(await outcome(owner.send(put))).toBe("AccessDenied");
});

test("a bucket's ACL lets another account write, if that one's own policies do", async () => {
  await takeAcls();
  const write = () => outcome(other.send(new PutObjectCommand({ Bucket, Key: "theirs", Body: "x" })));
  expect(await write()).toBe("AccessDenied");
  await owner.send(new PutBucketAclCommand({ Bucket, GrantWrite: `id="${canonicalId(stranger)}"` }));
  expect(await write()).toBe("done");
});

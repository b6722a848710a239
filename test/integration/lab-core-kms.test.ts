import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  ReEncryptCommand,
  RevokeGrantCommand,
} from "@aws-sdk/client-kms";
import {
  DescribeOrganizationCommand,
  ListParentsCommand,
  ListPoliciesForTargetCommand,
  OrganizationsClient,
} from "@aws-sdk/client-organizations";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";

const production = "222222222222";
let lab: RunningLab;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lab-"));
  lab = await startLab({ dataDir, seed: "demo" });
});
afterAll(async () => {
  await lab.stop();
  await rm(dataDir, { recursive: true });
});

const settings = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) => ({
  region: "eu-central-1",
  endpoint: lab.endpoint,
  credentials,
  maxAttempts: 1,
});
const operator = (account = production) => lab.operators[account]!;

async function sessionOf(roleName: string, actions: readonly string[], account = production) {
  const iam = new IAMClient(settings(operator(account)));
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: account }, Action: "sts:AssumeRole" }],
  };
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: roleName, AssumeRolePolicyDocument: JSON.stringify(trust) }),
  );
  if (actions.length > 0) {
    const own = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] };
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: roleName,
        PolicyName: "own",
        PolicyDocument: JSON.stringify(own),
      }),
    );
  }
  const sts = new STSClient(settings(operator(account)));
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "test" }),
  );
  return {
    arn: Role!.Arn!,
    keys: {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    },
  };
}

describe("a key", () => {
  test("opens what it sealed, only with the same encryption context", async () => {
    const kms = new KMSClient(settings(operator()));
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: "bucket key" }));
    await kms.send(new CreateAliasCommand({ AliasName: "alias/bucket", TargetKeyId: KeyMetadata!.KeyId! }));
    const EncryptionContext = { bucket: "one" };
    const made = await kms.send(
      new GenerateDataKeyCommand({ KeyId: "alias/bucket", KeySpec: "AES_256", EncryptionContext }),
    );
    expect(made.Plaintext).toHaveLength(32);
    const opened = await kms.send(
      new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext }),
    );
    expect(Buffer.from(opened.Plaintext!)).toEqual(Buffer.from(made.Plaintext!));
    await expect(
      kms.send(
        new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext: { bucket: "two" } }),
      ),
    ).rejects.toMatchObject({ name: "InvalidCiphertextException" });
    const other = await kms.send(new CreateKeyCommand({}));
    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob: made.CiphertextBlob,
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId: other.KeyMetadata!.Arn!,
      }),
    );
    expect(moved.KeyId).toBe(other.KeyMetadata!.Arn);
  });

  test("is closed to the account's administrator when its policy names only another", async () => {
    const kms = new KMSClient(settings(operator()));
    const holder = await sessionOf("key-holder", []);
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { AWS: holder.arn }, Action: "kms:*", Resource: "*" }],
    });
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({ Policy, BypassPolicyLockoutSafetyCheck: true }),
    );
    const KeyId = KeyMetadata!.Arn!;
    await expect(kms.send(new DescribeKeyCommand({ KeyId }))).rejects.toThrow(
      /because no resource-based policy allows the kms:DescribeKey action/,
    );
    await new KMSClient(settings(holder.keys)).send(new DescribeKeyCommand({ KeyId }));
  });

  test("can be lent by a grant, and taken back", async () => {
    const kms = new KMSClient(settings(operator()));
    const guest = await sessionOf("guest", []);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({
        KeyId: KeyMetadata!.KeyId!,
        Plaintext: Buffer.from("secret"),
        EncryptionContext: { run: "1" },
      }),
    );
    const open = () =>
      new KMSClient(settings(guest.keys)).send(
        new DecryptCommand({ CiphertextBlob, EncryptionContext: { run: "1" } }),
      );
    await expect(open()).rejects.toMatchObject({ name: "AccessDeniedException" });
    const grant = await kms.send(
      new CreateGrantCommand({
        KeyId: KeyMetadata!.KeyId!,
        GranteePrincipal: guest.arn,
        Operations: ["Decrypt"],
        Constraints: { EncryptionContextSubset: { run: "1" } },
      }),
    );
    expect(Buffer.from((await open()).Plaintext!).toString()).toBe("secret");
    await kms.send(new RevokeGrantCommand({ KeyId: KeyMetadata!.KeyId!, GrantId: grant.GrantId! }));
    await expect(open()).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  test("can be lent to a role of another account by a grant alone", async () => {
    const kms = new KMSClient(settings(operator()));
    const guest = await sessionOf("guest", [], "111111111111");
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const KeyId = KeyMetadata!.Arn!;
    const look = () => new KMSClient(settings(guest.keys)).send(new DescribeKeyCommand({ KeyId }));
    await expect(look()).rejects.toMatchObject({ name: "AccessDeniedException" });
    const grant = { KeyId, GranteePrincipal: guest.arn, Operations: ["DescribeKey" as const] };
    await kms.send(new CreateGrantCommand(grant));
    expect((await look()).KeyMetadata?.Arn).toBe(KeyId);
  });

  test("that AWS manages for EBS exists in each account and serves nobody directly", async () => {
    const kms = new KMSClient(settings(operator()));
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: "alias/aws/ebs" }));
    expect(KeyMetadata).toMatchObject({ KeyManager: "AWS", AWSAccountId: production });
    await expect(
      kms.send(new EncryptCommand({ KeyId: "alias/aws/ebs", Plaintext: Buffer.from("x") })),
    ).rejects.toMatchObject({ name: "AccessDeniedException" });
    const backup = await new KMSClient(settings(operator("111111111111"))).send(
      new DescribeKeyCommand({ KeyId: "alias/aws/ebs" }),
    );
    expect(backup.KeyMetadata!.Arn).not.toBe(KeyMetadata!.Arn);
  });
});

describe("the organisation", () => {
  test("shows its tree and policies to the management account", async () => {
    const organizations = new OrganizationsClient(settings(operator("999999999999")));
    const { Parents } = await organizations.send(new ListParentsCommand({ ChildId: production }));
    expect(Parents).toEqual([{ Id: "ou-root-workloads", Type: "ORGANIZATIONAL_UNIT" }]);
    const { Policies } = await organizations.send(
      new ListPoliciesForTargetCommand({ TargetId: "ou-root-workloads", Filter: "SERVICE_CONTROL_POLICY" }),
    );
    expect(Policies!.map((policy) => policy.Name).sort()).toEqual(["FullAWSAccess", "one-region"]);
  });

  test("shows itself to a member, but not its policies", async () => {
    const organizations = new OrganizationsClient(settings(operator()));
    const { Organization } = await organizations.send(new DescribeOrganizationCommand({}));
    expect(Organization!.Id).toBe("o-garrisonlab");
    await expect(organizations.send(new ListParentsCommand({ ChildId: production }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
  });
});

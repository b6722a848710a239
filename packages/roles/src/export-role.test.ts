import { describe, expect, it } from "vitest";
import { exportRole } from "./export-role.ts";
import { inlineTotalLimit, managedPolicyLimit, packPolicies, trustPolicyLimit } from "./pack-policies.ts";
import { policySize, type PolicyStatement } from "./policy-statement.ts";
import { roleIds } from "./role-catalogue.ts";

const accounts = { backup: "111111111111", production: "222222222222" };

describe("role documents", () => {
  const partitions = ["aws", "aws-cn", "aws-us-gov"] as const;
  const variants = partitions.flatMap((partition) =>
    (["scoped", "compatible"] as const).map((form) => ({ form, partition })),
  );

  it.each(roleIds())("of %s stay within AWS's limits in every partition and are the same each time", (id) => {
    for (const { form, partition } of variants) {
      const options = {
        form,
        partition,
        accounts,
        withWorkersInProduction: true,
        withPlanned: true,
        externalId: "x",
        regions: ["eu-central-1", "us-east-1"],
      };
      const documents = exportRole(id, options);
      const total = documents.inlinePolicies.reduce((sum, { document }) => sum + policySize(document), 0);
      expect(total).toBeLessThanOrEqual(inlineTotalLimit);
      expect(documents.managedPolicies.length).toBeLessThanOrEqual(10);
      for (const { document } of documents.managedPolicies)
        expect(policySize(document)).toBeLessThanOrEqual(managedPolicyLimit);
      expect(JSON.stringify(documents)).not.toMatch(partition === "aws" ? /arn:aws-/ : /arn:aws:/);
      expect(policySize(documents.trust)).toBeLessThanOrEqual(trustPolicyLimit);
      expect(JSON.stringify(documents)).toBe(JSON.stringify(exportRole(id, options)));
      expect(JSON.stringify(documents)).not.toMatch(/\$\{\w+\}/);
    }
  });

  it("name the appliance by condition, not as principal, and refuse instance-like session names to it", () => {
    const { instanceProfile, trust } = exportRole("worker", { accounts, externalId: "id-1" });
    expect(instanceProfile).toEqual({ name: "garrison-worker" });
    expect(trust.Statement).toEqual([
      {
        Sid: "GarrisonAppliance",
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::111111111111:root" },
        Action: "sts:AssumeRole",
        Condition: {
          ArnEquals: { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/garrison-appliance" },
          StringEquals: { "sts:ExternalId": "id-1" },
          StringNotLike: { "sts:RoleSessionName": "i-*" },
        },
      },
      {
        Sid: "GarrisonInstances",
        Effect: "Allow",
        Principal: { Service: "ec2.amazonaws.com" },
        Action: "sts:AssumeRole",
      },
    ]);
  });

  it("let operators run the appliance outside EC2 only when they are named", () => {
    const operator = "arn:aws:iam::111111111111:user/operator";
    const named = exportRole("appliance", { accounts, operatorArns: [operator] });
    expect(named.trust.Statement[1]).toMatchObject({
      Condition: { ArnEquals: { "aws:PrincipalArn": [operator] } },
    });
    expect(exportRole("appliance", { accounts }).trust.Statement).toHaveLength(1);
    expect(exportRole("worker", { accounts, operatorArns: [operator] }).trust.Statement).toHaveLength(2);
  });

  it("name China's partition and both of its EC2 principals", () => {
    const text = JSON.stringify(
      exportRole("backup-ec2", { accounts, partition: "aws-cn", withWorkersInProduction: true }),
    );
    expect(text).not.toContain("arn:aws:");
    expect(text).toContain('"iam:PassedToService":["ec2.amazonaws.com","ec2.amazonaws.com.cn"]');
  });

  it("give launching rights only when workers run in production", () => {
    const without = exportRole("backup-ec2", { accounts });
    expect(JSON.stringify(without)).not.toContain("iam:PassRole");
    const restore = exportRole("restore-ec2", {
      accounts,
      passRoles: ["arn:aws:iam::222222222222:role/web"],
    });
    expect(JSON.stringify(restore)).toContain("arn:aws:iam::222222222222:role/web");
    expect(JSON.stringify(exportRole("restore-ec2", { accounts }))).not.toContain("RestorePassRole");
  });

  it("fence what AWS can't scope by the Regions that the owner named", () => {
    const { inlinePolicies } = exportRole("backup-ec2", { accounts, regions: ["eu-central-1"] });
    const open = inlinePolicies
      .flatMap(({ document }) => document.Statement)
      .filter(({ Resource }) => Resource?.includes("*"));
    expect(open.length).toBeGreaterThan(0);
    for (const { Condition, Sid } of open) {
      // CloudTrail has the calls of IAM in one Region, whatever the owner's are.
      const region = Sid === "DriftEvents" ? "us-east-1" : ["eu-central-1"];
      expect(Condition).toMatchObject({ StringEquals: { "aws:RequestedRegion": region } });
    }
  });

  it("say what a person still has to fill in, and warn of the compatible form", () => {
    const { warnings } = exportRole("worker", { form: "compatible" });
    expect(warnings.join("\n")).toMatch(/BACKUP_ACCOUNT_ID.*EXTERNAL_ID.*SecureString/s);
    expect(exportRole("worker", { accounts, externalId: "x" }).warnings).toEqual([]);
  });
});

describe("the trust of a role that a service takes", () => {
  it("is held to AWS Backup for file systems, and to RDS for databases of its own account", () => {
    const services = (id: "backup-efs" | "restore-rds") =>
      exportRole(id, { accounts }).trust.Statement.slice(1);
    expect(services("backup-efs")).toEqual([
      {
        Sid: "GarrisonAwsBackup",
        Effect: "Allow",
        Principal: { Service: "backup.amazonaws.com" },
        Action: "sts:AssumeRole",
      },
    ]);
    expect(services("restore-rds")).toMatchObject([
      {
        Principal: { Service: "rds.amazonaws.com" },
        Condition: {
          StringEquals: { "aws:SourceAccount": "222222222222" },
          ArnLike: {
            "aws:SourceArn": ["arn:aws:rds:*:222222222222:db:*", "arn:aws:rds:*:222222222222:og:*"],
          },
        },
      },
    ]);
  });
});

describe("splitting", () => {
  const statement = (index: number): PolicyStatement => ({
    Sid: `S${index}`,
    Effect: "Allow",
    Action: ["ec2:RunInstances"],
    Resource: Array.from(
      { length: 20 },
      (_, part) => `arn:aws:ec2:eu-central-1:222222222222:subnet/subnet-${index}-${part}`,
    ),
  });

  it("uses managed policies, each within its limit and in order, when the inline limit is exceeded", () => {
    const Statement = Array.from({ length: 12 }, (_, index) => statement(index));
    const packed = packPolicies("role", [
      { name: "garrison-x", document: { Version: "2012-10-17", Statement } },
    ]);
    expect(packed.inlinePolicies).toEqual([]);
    expect(packed.managedPolicies.map(({ name }) => name)).toEqual(["role-1", "role-2", "role-3"]);
    for (const { document } of packed.managedPolicies)
      expect(policySize(document)).toBeLessThanOrEqual(managedPolicyLimit);
    expect(packed.managedPolicies.flatMap(({ document }) => document.Statement)).toEqual(Statement);
  });

  it("refuses by name what no number of policies can hold", () => {
    const Statement = Array.from({ length: 60 }, (_, index) => statement(index));
    const groups = [{ name: "garrison-x", document: { Version: "2012-10-17" as const, Statement } }];
    expect(() => packPolicies("role", groups)).toThrow(/role takes 10/);
  });
});

import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { exportRole, type ExportOptions } from "../export-role.ts";
import { roleIds } from "../role-catalogue.ts";
import { formatCloudFormation } from "./format-cloudformation.ts";
import { formatCommands } from "./format-commands.ts";
import { formatTerraform } from "./format-terraform.ts";

const known: ExportOptions = {
  accounts: { backup: "111111111111", production: "222222222222" },
  externalId: "it's",
  bucket: "vault",
};
const all = (options: ExportOptions) => roleIds().map((id) => exportRole(id, options));

it("CloudFormation asks by parameter for what nobody gave, and refers to it", () => {
  const template = JSON.parse(formatCloudFormation(all({}))) as {
    Parameters: Record<string, unknown>;
    Resources: Record<string, { Properties: { AssumeRolePolicyDocument: { Statement: object[] } } }>;
  };
  expect(Object.keys(template.Parameters)).toEqual(["BackupAccountId", "ExternalId", "BucketName"]);
  expect(template.Resources["WorkerRole"]?.Properties.AssumeRolePolicyDocument.Statement[0]).toMatchObject({
    Principal: { AWS: { "Fn::Sub": "arn:aws:iam::${BackupAccountId}:root" } },
    Condition: { StringEquals: { "sts:ExternalId": { "Fn::Sub": "${ExternalId}" } } },
  });
  expect(template.Resources["WorkerRoleProfile"]).toBeDefined();
});

it("CloudFormation needs no parameter when everything is known, and holds the documents unchanged", () => {
  const roles = all(known);
  const template = JSON.parse(formatCloudFormation(roles)) as {
    Parameters?: object;
    Resources: Record<string, { Properties: { Policies: { PolicyDocument: object }[] } }>;
  };
  expect(template.Parameters).toBeUndefined();
  const backup = roles.find(({ roleId }) => roleId === "backup-ec2");
  const written = template.Resources["BackupEc2Role"]?.Properties.Policies.map(
    (policy) => policy.PolicyDocument,
  );
  expect(written).toEqual(backup?.inlinePolicies.map(({ document }) => document));
});

it("Terraform holds each document as the JSON text of itself, with variables for what nobody gave", () => {
  const file = JSON.parse(formatTerraform(all(known))) as {
    variable?: object;
    resource: {
      aws_iam_role: Record<string, { assume_role_policy: string }>;
      aws_iam_instance_profile: object;
    };
  };
  expect(file.variable).toBeUndefined();
  expect(JSON.parse(file.resource.aws_iam_role["worker"]?.assume_role_policy ?? "")).toEqual(
    exportRole("worker", known).trust,
  );
  expect(Object.keys(file.resource.aws_iam_instance_profile)).toEqual([
    "appliance",
    "worker",
    "file_recovery_worker",
  ]);
  expect(formatTerraform([exportRole("worker")])).toContain("${var.external_id}");
});

it("the shell script hands each document to the aws command as one argument, quotes and all", () => {
  const script = formatCommands([exportRole("worker", known)]);
  const fake = `aws() { printf '%s\\n' "$@"; }\n${script}`;
  const printed = execFileSync("sh", ["-c", fake], { encoding: "utf8" }).split("\n");
  const trust = printed[printed.indexOf("--assume-role-policy-document") + 1] ?? "";
  expect(JSON.parse(trust)).toEqual(exportRole("worker", known).trust);
  expect(printed).toContain("add-role-to-instance-profile");
});

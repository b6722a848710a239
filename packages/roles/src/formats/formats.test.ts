import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { exportRole, type ExportOptions } from "../export-role.ts";
import { roleIds } from "../role-catalogue.ts";
import { evaluateHcl, parseHcl } from "../testing/parse-hcl.ts";
import { formatCloudFormation } from "./format-cloudformation.ts";
import { formatCommands } from "./format-commands.ts";
import { formatStackSet } from "./format-stack-set.ts";
import { formatTerraformJson } from "./format-terraform-json.ts";
import { formatTerraform } from "./format-terraform.ts";

const known: ExportOptions = {
  accounts: { backup: "111111111111", production: "222222222222" },
  externalId: "it's",
  bucket: "vault",
};
const all = (options: ExportOptions) => roleIds().map((id) => exportRole(id, options));

it("CloudFormation asks by parameter for what nobody gave, and refers to it", () => {
  const template = JSON.parse(formatCloudFormation(all({ isTemplate: true }))) as {
    Parameters: Record<string, unknown>;
    Resources: Record<string, { Properties: { AssumeRolePolicyDocument: { Statement: object[] } } }>;
  };
  expect(Object.keys(template.Parameters)).toEqual([
    "BackupAccountId",
    "ExternalId",
    "InstallationId",
    "BucketName",
  ]);
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

/** The value of each argument, with variables by name. */
function terraform(text: string) {
  const blocks = parseHcl(text);
  const find = (...labels: string[]) => blocks.find((block) => block.labels.join() === labels.join());
  const value = (labels: string[], argument: string) => {
    const expression = find(...labels)?.attributes[argument];
    return expression && evaluateHcl(expression, (path) => `<${path}>`);
  };
  return { blocks, value };
}

it("Terraform holds each document as an expression of itself, with variables for what nobody gave", () => {
  const { blocks, value } = terraform(formatTerraform(all(known)));
  expect(blocks.some(({ type }) => type === "variable")).toBe(false);
  expect(JSON.parse(String(value(["aws_iam_role", "worker"], "assume_role_policy")))).toEqual(
    exportRole("worker", known).trust,
  );
  const open = terraform(formatTerraform([exportRole("worker", { isTemplate: true })]));
  expect(open.blocks.filter(({ type }) => type === "variable").flatMap(({ labels }) => labels)).toEqual([
    "backup_account_id",
    "external_id",
    "installation_id",
  ]);
  const policy = String(open.value(["aws_iam_role_policy", "worker_garrison_worker"], "policy"));
  expect(policy).toContain(
    ":<data.aws_caller_identity.current.account_id>:garrison-<var.installation_id>-*-in",
  );
  expect(open.value(["aws_iam_instance_profile", "worker"], "role")).toBe("<aws_iam_role.worker.name>");
});

it("Terraform's JSON syntax says the same as its native one", () => {
  const roles = all({ isTemplate: true });
  const { blocks, value } = terraform(formatTerraform(roles));
  const file = JSON.parse(formatTerraformJson(roles)) as {
    resource: Record<string, Record<string, Record<string, string>>>;
  };
  const resources = blocks.filter(({ type }) => type === "resource");
  expect(resources.length).toBeGreaterThan(40);
  for (const { attributes, labels } of resources) {
    const [type = "", name = ""] = labels;
    const written = file.resource[type]?.[name] ?? {};
    const filled = Object.entries(written).map(([key, text]) => [
      key,
      text.replaceAll(/(?<!\$)\$\{([\w.]+)\}/g, "<$1>"),
    ]);
    const native = Object.keys(attributes).map((key) => [key, value(labels.slice(), key)]);
    expect(filled).toEqual(native);
  }
});

it("Terraform and CloudFormation leave alone what only looks like a reference to them", () => {
  const role = exportRole("worker", known);
  const Statement = [{ ...role.trust.Statement[0]!, Sid: 'a${b}%{c}"\\' }];
  const odd = { ...role, trust: { ...role.trust, Statement } };
  const { value } = terraform(formatTerraform([odd]));
  expect(JSON.parse(String(value(["aws_iam_role", "worker"], "assume_role_policy")))).toEqual(odd.trust);
  const open = {
    ...odd,
    title: "",
    trust: { ...odd.trust, Statement: [{ ...Statement[0]!, Sid: "${b}EXTERNAL_ID" }] },
  };
  expect(formatCloudFormation([open])).toContain('"Fn::Sub": "${!b}${ExternalId}"');
  expect(formatCloudFormation([odd])).toContain(JSON.stringify('a${b}%{c}"\\'));
});

it.skipIf(!existsSync("/usr/local/bin/terraform"))("Terraform's own formatter has nothing to change", () => {
  const roles = all({ isTemplate: true });
  const format = (input: string) =>
    execFileSync("/usr/local/bin/terraform", ["fmt", "-"], {
      input,
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
    });
  expect(format(formatTerraform(roles))).toContain(formatTerraform(roles));
});

it("a stack set leaves open what differs between accounts, and starts with what was given", () => {
  const template = JSON.parse(
    formatStackSet(["backup-ec2", "worker"], { ...known, installation: "0a1b2c3d", externalId: "id-1" }),
  ) as { Parameters: Record<string, { Default?: string }>; Resources: object };
  const defaults = Object.entries(template.Parameters).map(([name, { Default }]) => [name, Default]);
  expect(Object.fromEntries(defaults)).toEqual({
    BackupAccountId: "111111111111",
    ApplianceRoleName: "garrison-appliance",
    ExternalId: "id-1",
    InstallationId: "0a1b2c3d",
    PermissionsBoundaryArn: "",
  });
  expect(JSON.stringify(template.Resources)).not.toMatch(/\d{12}|0a1b2c3d|id-1/);
});

it("a stack set refuses by name a role that an organisation needs once", () => {
  expect(() => formatStackSet(["repository"], known)).toThrow(/repository is needed once/);
});

it("the shell script hands each document to the aws command as one argument, quotes and all", () => {
  const script = formatCommands([exportRole("worker", known)]);
  const fake = `aws() { printf '%s\\n' "$@"; }\n${script}`;
  const printed = execFileSync("sh", ["-c", fake], { encoding: "utf8" }).split("\n");
  const trust = printed[printed.indexOf("--assume-role-policy-document") + 1] ?? "";
  expect(JSON.parse(trust)).toEqual(exportRole("worker", known).trust);
  expect(printed).toContain("add-role-to-instance-profile");
});

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CreatePolicyCommand, GetRoleCommand } from "@aws-sdk/client-iam";
import { openAwsClients } from "@garrison/aws/aws-clients";
import { openProber, type AwsProber } from "@garrison/aws/role-prober";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { checkChain } from "@garrison/roles/check-chain";
import { exportRole, type ExportOptions } from "@garrison/roles/export-role";
import { formatCloudFormation } from "@garrison/roles/formats/format-cloudformation";
import { formatCommands } from "@garrison/roles/formats/format-commands";
import { formatStackSet } from "@garrison/roles/formats/format-stack-set";
import { formatTerraform } from "@garrison/roles/formats/format-terraform";
import { roleIds } from "@garrison/roles/role-catalogue";
import type { RoleId } from "@garrison/roles/role-definition";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applianceSession, openOperators, type LabOperators } from "./lab-operators.ts";
import { applyCloudFormation } from "./cloudformation-applier.ts";
import { applyTerraform } from "./terraform-applier.ts";

/*
 * Roles made by every kind of document that `garrison roles export` writes, in the lab's IAM: each has to be one that the
 * role check finds whole. The documents of one kind carry its name, so that all share one lab and one appliance.
 */

const backup = "111111111111";
const production = "222222222222";
const region = "eu-central-1";
const installation = "0a1b2c3d";
const externalId = "garrison-7f3a";
const call = { signal: new AbortController().signal };
const aws = "/usr/bin/aws";

let lab: RunningLab;
let dataDir: string;
let prober: AwsProber;
let operators: LabOperators;

const operator = (account: string) => operators.of(account);

function namesOf(kind: string): Partial<Record<RoleId, string>> {
  return Object.fromEntries(
    roleIds().flatMap((id) => (id === "appliance" ? [] : [[id, `${kind}-${id}`] as const])),
  );
}

function optionsOf(kind: string): ExportOptions {
  return { isTemplate: true, names: namesOf(kind), withWorkersInProduction: true, regions: [region] };
}

const chains = [
  { role: "backup-ec2", operation: "ec2.image-backup" },
  { role: "restore-ec2", operation: "ec2.instance-restore" },
] as const;

/** What isn't as it should be, in sentences. */
async function faultsOf(kind: string, checked: readonly (typeof chains)[number][] = chains) {
  const faults: string[] = [];
  for (const { operation, role } of checked) {
    const request = {
      roleArn: `arn:aws:iam::${production}:role/${kind}-${role}`,
      operations: [operation],
      placement: "production",
      names: namesOf(kind),
      externalId,
      region,
      installation,
    } as const;
    const { findings } = await checkChain({ prober }, request, call);
    expect(findings.length).toBeGreaterThan(5);
    faults.push(...findings.flatMap(({ sentence, verdict }) => (verdict === "passed" ? [] : [sentence])));
  }
  return faults;
}

const productionRoles: readonly RoleId[] = ["backup-ec2", "restore-ec2", "worker"];
const parameters = { BackupAccountId: backup, ExternalId: externalId, InstallationId: installation };

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "garrison-documents-"));
  lab = await startLab({ dataDir, seed: "demo" });
  operators = openOperators(lab, region);
  const kinds = ["stack", "stackset", "terraform", "script"];
  const assumedRoles = kinds.map((kind) => `arn:aws:iam::*:role/${kind}-*`);
  const ids: readonly RoleId[] = ["appliance", "repository", "worker-deployment"];
  const documents = ids.map((id) => exportRole(id, { ...optionsOf("stack"), assumedRoles }));
  const stack = { account: backup, parameters: { ...parameters, BucketName: "vault" } };
  await applyCloudFormation(operator(backup).iam(), formatCloudFormation(documents), stack);
  const keys = applianceSession(lab, backup);
  prober = openProber(openAwsClients({ region, endpoint: lab.endpoint, credentials: async () => keys }));
});

afterAll(async () => {
  prober?.close();
  operators?.close();
  await lab?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

describe("roles made by CloudFormation", () => {
  it("are whole in the account of a stack", async () => {
    const documents = productionRoles.map((id) => exportRole(id, optionsOf("stack")));
    const stack = { account: production, parameters };
    await applyCloudFormation(operator(production).iam(), formatCloudFormation(documents), stack);
    expect(await faultsOf("stack")).toEqual([]);
  });

  it("are whole in the backup account, the repository's with its bucket", async () => {
    const roleArn = `arn:aws:iam::${backup}:role/stack-repository`;
    const request = { roleArn, operations: [], placement: "backup", bucket: "vault", externalId } as const;
    const names = namesOf("stack");
    const report = await checkChain({ prober }, { ...request, region, installation, names }, call);
    expect(report.findings.filter(({ verdict }) => verdict !== "passed")).toEqual([]);
  });

  it("are whole in an account of a stack set, and carry the boundary that the organisation demands", async () => {
    const iam = operator(production).iam();
    const PolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
    });
    const made = await iam.send(new CreatePolicyCommand({ PolicyName: "boundary", PolicyDocument }));
    const boundary = made.Policy?.Arn ?? "";
    const options = { ...optionsOf("stackset"), accounts: { backup }, externalId };
    const template = formatStackSet(productionRoles, options);
    const own = { InstallationId: installation, PermissionsBoundaryArn: boundary };
    await applyCloudFormation(iam, template, { account: production, parameters: own });
    expect(await faultsOf("stackset")).toEqual([]);
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: "stackset-worker" }));
    expect(Role?.PermissionsBoundary?.PermissionsBoundaryArn).toBe(boundary);
  });
});

describe("roles made by Terraform", () => {
  it("are whole, also when they need managed policies", async () => {
    const regions = [
      "eu-central-1",
      "eu-central-2",
      "eu-north-1",
      "eu-south-1",
      "eu-west-1",
      "eu-west-2",
      "us-east-1",
    ];
    const documents = productionRoles.map((id) => exportRole(id, { ...optionsOf("terraform"), regions }));
    expect(documents.map(({ managedPolicies }) => managedPolicies.length)).toEqual([3, 4, 0]);
    const variables = { backup_account_id: backup, external_id: externalId, installation_id: installation };
    const root = { account: production, variables };
    await applyTerraform(operator(production).iam(), formatTerraform(documents), root);
    expect(await faultsOf("terraform")).toEqual([]);
  });
});

describe.skipIf(!existsSync(aws))("roles made by a shell script and the aws command", () => {
  it("are whole", async () => {
    const options: ExportOptions = {
      ...optionsOf("script"),
      isTemplate: false,
      accounts: { backup, production },
      externalId,
      installation,
    };
    const script = formatCommands((["backup-ec2", "worker"] as const).map((id) => exportRole(id, options)));
    // Debian's command knows no variable for the endpoint.
    const atLab = `aws() { ${aws} --endpoint-url ${lab.endpoint} "$@" </dev/null; }\n${script}`;
    const { accessKeyId, secretAccessKey } = lab.operators[production]!;
    const env = {
      PATH: "/usr/bin:/bin",
      HOME: dataDir,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: region,
      AWS_EC2_METADATA_DISABLED: "true",
    };
    await promisify(execFile)("sh", ["-c", atLab], { env });
    expect(await faultsOf("script", [chains[0]])).toEqual([]);
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateVpcEndpointCommand,
  DeleteVpcEndpointsCommand,
  DescribeSubnetsCommand,
} from "@aws-sdk/client-ec2";
import { CreateKeyCommand, PutKeyPolicyCommand } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
} from "@aws-sdk/client-s3";
import { openAwsClients } from "@garrison/aws/aws-clients";
import { createRole } from "@garrison/aws/create-role";
import { openPolicyReader } from "@garrison/aws/role-policy-reader";
import { openProber, type AwsProber } from "@garrison/aws/role-prober";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import type { ChainReport } from "@garrison/roles/chain-report";
import type { ChainRequest } from "@garrison/roles/chain-request";
import { checkChain } from "@garrison/roles/check-chain";
import { exportRole, type ExportOptions } from "@garrison/roles/export-role";
import { afterAll, beforeAll, expect, it } from "vitest";
import { applianceSession, openOperators, type LabOperators } from "./lab-operators.ts";

const backup = "111111111111";
const production = "222222222222";
const management = "999999999999";
const region = "eu-central-1";
const Bucket = "vault";
const externalId = "garrison-7f3a";
const call = { signal: new AbortController().signal };
const workerRole = `arn:aws:iam::${production}:role/garrison-worker`;
const repositoryRole = `arn:aws:iam::${backup}:role/garrison-repository`;

let lab: RunningLab;
let dataDir: string;
let prober: AwsProber;
let keyArn: string;
let subnet: { readonly SubnetId?: string; readonly VpcId?: string };
let operators: LabOperators;

const operator = (account: string) => operators.of(account);

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "garrison-layers-"));
  lab = await startLab({ dataDir, seed: "demo", ec2: { transitionMs: 1 } });
  operators = openOperators(lab, region);
  const { KeyMetadata } = await operator(backup).kms().send(new CreateKeyCommand({}));
  keyArn = KeyMetadata!.Arn!;
  await createBucket();
  const options: ExportOptions = {
    accounts: { backup, production },
    externalId,
    withWorkersInProduction: true,
    bucket: Bucket,
    repositoryKeyArns: [keyArn],
  };
  for (const id of ["appliance", "repository"] as const)
    await createRole(operator(backup), exportRole(id, options), call);
  for (const id of ["backup-ec2", "worker"] as const)
    await createRole(operator(production), exportRole(id, options), call);
  const { Subnets } = await operator(production).ec2().send(new DescribeSubnetsCommand({}));
  subnet = Subnets![0]!;
  const keys = applianceSession(lab, backup);
  prober = openProber(openAwsClients({ region, endpoint: lab.endpoint, credentials: async () => keys }));
});

afterAll(async () => {
  prober?.close();
  operators?.close();
  await lab?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function createBucket(): Promise<void> {
  const s3 = operator(backup).s3();
  const CreateBucketConfiguration = { LocationConstraint: region } as const;
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
  const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: "aws:kms", KMSMasterKeyID: keyArn } as const;
  const ServerSideEncryptionConfiguration = { Rules: [{ ApplyServerSideEncryptionByDefault }] };
  await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration }));
}

const worker: ChainRequest = {
  roleArn: `arn:aws:iam::${production}:role/garrison-backup-ec2`,
  operations: ["ec2.image-backup"],
  placement: "production",
  externalId,
  region,
};
const repository: ChainRequest = {
  ...worker,
  roleArn: repositoryRole,
  bucket: Bucket,
  repositoryKeyArns: [],
};

async function failures(request: ChainRequest) {
  const policyReader = openPolicyReader([operator(production), operator(backup), operator(management)]);
  const report: ChainReport = await checkChain({ prober, policyReader }, request, call);
  return report.findings.filter(({ verdict }) => verdict === "failed");
}

const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const everything = { Effect: "Allow", Principal: "*", Action: "*", Resource: "*" };

it("finds the endpoint of the worker's VPC whose policy denies, and only where a subnet is named", async () => {
  const ec2 = operator(production).ec2();
  const deny = {
    ...everything,
    Sid: "NoSending",
    Effect: "Deny",
    Action: "sqs:SendMessage",
  };
  const { VpcEndpoint } = await ec2.send(
    new CreateVpcEndpointCommand({
      VpcId: subnet.VpcId,
      SubnetIds: [subnet.SubnetId!],
      ServiceName: `com.amazonaws.${region}.sqs`,
      VpcEndpointType: "Interface",
      PolicyDocument: document(everything, deny),
    }),
  );
  const VpcEndpointIds = [VpcEndpoint!.VpcEndpointId!];
  const unplaced = await failures(worker);
  const found = await failures({ ...worker, subnetId: subnet.SubnetId! });
  await ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds }));
  expect(unplaced).toEqual([]);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({
    link: "grants",
    subject: workerRole,
    action: "sqs:SendMessage",
    statement: { layer: "vpc-endpoint", policy: VpcEndpointIds[0], sid: "NoSending" },
  });
  expect(await failures({ ...worker, subnetId: subnet.SubnetId! })).toEqual([]);
});

it("leaves aside an endpoint that the service's own name does not lead to", async () => {
  const ec2 = operator(production).ec2();
  const deny = { ...everything, Effect: "Deny", Action: "sqs:SendMessage" };
  const { VpcEndpoint } = await ec2.send(
    new CreateVpcEndpointCommand({
      VpcId: subnet.VpcId,
      SubnetIds: [subnet.SubnetId!],
      ServiceName: `com.amazonaws.${region}.sqs`,
      VpcEndpointType: "Interface",
      PrivateDnsEnabled: false,
      PolicyDocument: document(everything, deny),
    }),
  );
  const found = await failures({ ...worker, subnetId: subnet.SubnetId! });
  await ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: [VpcEndpoint!.VpcEndpointId!] }));
  expect(found).toEqual([]);
});

it("finds the bucket policy that denies the repository role", async () => {
  const s3 = operator(backup).s3();
  const Policy = document({
    Sid: "NobodyWrites",
    Effect: "Deny",
    Principal: { AWS: repositoryRole },
    Action: "s3:PutObject",
    Resource: `arn:aws:s3:::${Bucket}/*`,
  });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  const found = await failures(repository);
  await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
  expect(found.map(({ action }) => action)).toEqual(["s3:PutObject"]);
  expect(found[0]).toMatchObject({
    link: "grants",
    subject: repositoryRole,
    statement: { layer: "resource", sid: "NobodyWrites" },
  });
  expect(await failures(repository)).toEqual([]);
});

it("finds the key policy that denies the repository role", async () => {
  const kms = operator(backup).kms();
  const account = {
    Sid: "Account",
    Effect: "Allow",
    Principal: { AWS: `arn:aws:iam::${backup}:root` },
    Action: "kms:*",
    Resource: "*",
  };
  const deny = {
    Sid: "NoRepository",
    Effect: "Deny",
    Principal: { AWS: repositoryRole },
    Action: "kms:GenerateDataKey",
    Resource: "*",
  };
  const request = { ...repository, repositoryKeyArns: [keyArn] };
  const putPolicy = (Policy: string) =>
    kms.send(new PutKeyPolicyCommand({ KeyId: keyArn, PolicyName: "default", Policy }));
  await putPolicy(document(account, deny));
  const found = await failures(request);
  await putPolicy(document(account));
  expect(found.map(({ action }) => action)).toEqual(["kms:GenerateDataKey"]);
  expect(found[0]).toMatchObject({
    link: "grants",
    subject: repositoryRole,
    resource: keyArn,
    statement: { layer: "resource", sid: "NoRepository" },
  });
  expect(await failures(request)).toEqual([]);
});

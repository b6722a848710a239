import { EBSClient } from "@aws-sdk/client-ebs";
import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { KMSClient } from "@aws-sdk/client-kms";
import { OrganizationsClient } from "@aws-sdk/client-organizations";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { STSClient } from "@aws-sdk/client-sts";
import type { CredentialSource } from "./aws-credentials.ts";

export interface AwsClientOptions {
  readonly region: string;
  /** Absent: the SDK's own chain (environment, profile, instance role). */
  readonly credentials?: CredentialSource;
  /** A profile of the AWS configuration files; only where no credentials are given. */
  readonly profile?: string;
  /** Absent: the SDK's choice, `AWS_ENDPOINT_URL` included. */
  readonly endpoint?: string;
}

/** SDK clients of one identity in one Region, each made on first use. */
export interface AwsClients {
  readonly options: AwsClientOptions;
  ebs(): EBSClient;
  ec2(): EC2Client;
  iam(): IAMClient;
  kms(): KMSClient;
  organizations(): OrganizationsClient;
  s3(): S3Client;
  sqs(): SQSClient;
  ssm(): SSMClient;
  sts(): STSClient;
  close(): void;
}

/** Control-plane calls are few and slow to settle: the SDK's one retry layer, with more patience than its default. */
const controlPlaneAttempts = 8;
const connectionTimeoutMs = 5_000;

/**
 * S3 and EBS carry the data: there our own `retry` decides (object store and block ports), so the SDK's is off, since
 * retries must never be nested.
 */
const dataPlaneAttempts = 1;
const dataPlaneSockets = 64;

export function openAwsClients(options: AwsClientOptions): AwsClients {
  const opened = new Map<string, { destroy(): void }>();
  const once = <Client extends { destroy(): void }>(name: string, open: () => Client): Client => {
    const known = opened.get(name);
    if (known !== undefined) return known as Client;
    const client = open();
    opened.set(name, client);
    return client;
  };
  const shared = {
    region: options.region,
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
  };
  const control = { ...shared, maxAttempts: controlPlaneAttempts, requestHandler: handler(50, 30_000) };
  const data = {
    ...shared,
    maxAttempts: dataPlaneAttempts,
    requestHandler: handler(dataPlaneSockets, 60_000),
  };
  return {
    options,
    ebs: () => once("ebs", () => new EBSClient(data)),
    ec2: () => once("ec2", () => new EC2Client(control)),
    iam: () => once("iam", () => new IAMClient({ ...control, region: options.region })),
    kms: () => once("kms", () => new KMSClient(control)),
    organizations: () => once("organizations", () => new OrganizationsClient(control)),
    s3: () => once("s3", () => new S3Client({ ...data, forcePathStyle: options.endpoint !== undefined })),
    sqs: () => once("sqs", () => new SQSClient(control)),
    ssm: () => once("ssm", () => new SSMClient(control)),
    sts: () => once("sts", () => new STSClient(control)),
    close: () => {
      for (const client of opened.values()) client.destroy();
      opened.clear();
    },
  };
}

/** Every call has a deadline: a connection that never answers would otherwise hold a run for ever. */
function handler(maxSockets: number, requestTimeout: number) {
  const agent = { keepAlive: true, maxSockets };
  return {
    connectionTimeout: connectionTimeoutMs,
    requestTimeout,
    socketTimeout: requestTimeout,
    httpAgent: agent,
    httpsAgent: agent,
  };
}

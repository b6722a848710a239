import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import type { EBSClient } from "@aws-sdk/client-ebs";
import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { KMSClient } from "@aws-sdk/client-kms";
import { OrganizationsClient } from "@aws-sdk/client-organizations";
import type { S3Client } from "@aws-sdk/client-s3";
import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { STSClient } from "@aws-sdk/client-sts";
import type { BlockClient } from "./ebs/block-client.ts";
import { openDataClients, sharedSettings, type AwsClientOptions } from "./data-clients.ts";
import { iamRegionOf } from "./iam-region.ts";
import { requestHandler } from "./request-handler.ts";

export type { AwsClientOptions };

/** SDK clients of one identity in one Region, each made on first use. */
export interface AwsClients {
  readonly options: AwsClientOptions;
  /** In the Region where the partition's IAM calls are recorded. */
  cloudTrail(): CloudTrailClient;
  ebs(): EBSClient;
  ebsBlocks(): BlockClient;
  ebsControl(): EBSClient;
  ec2(): EC2Client;
  iam(): IAMClient;
  kms(): KMSClient;
  organizations(): OrganizationsClient;
  s3(): S3Client;
  serviceQuotas(): ServiceQuotasClient;
  sqs(): SQSClient;
  ssm(): SSMClient;
  sts(): STSClient;
  close(): void;
}

/** Control-plane calls are few and slow to settle: the SDK's one retry layer, with more patience than its default. */
const controlPlaneAttempts = 8;

export function openAwsClients(options: AwsClientOptions): AwsClients {
  const opened = new Map<string, { destroy(): void }>();
  const once = <Client extends { destroy(): void }>(name: string, open: () => Client): Client => {
    const known = opened.get(name);
    if (known !== undefined) return known as Client;
    const client = open();
    opened.set(name, client);
    return client;
  };
  const shared = sharedSettings(options);
  const control = {
    ...shared,
    maxAttempts: options.attempts ?? controlPlaneAttempts,
    requestHandler: options.connections?.handler ?? requestHandler(50, 30_000),
  };
  const data = openDataClients(options);
  return {
    options,
    cloudTrail: () =>
      once("cloudtrail", () => new CloudTrailClient({ ...control, region: iamRegionOf(options.region) })),
    ebs: data.ebs,
    ebsBlocks: data.ebsBlocks,
    ebsControl: data.ebsControl,
    ec2: () => once("ec2", () => new EC2Client(control)),
    iam: () => once("iam", () => new IAMClient({ ...control, region: options.region })),
    kms: () => once("kms", () => new KMSClient(control)),
    organizations: () => once("organizations", () => new OrganizationsClient(control)),
    s3: data.s3,
    serviceQuotas: () => once("service-quotas", () => new ServiceQuotasClient(control)),
    sqs: () => once("sqs", () => new SQSClient(control)),
    ssm: () => once("ssm", () => new SSMClient(control)),
    sts: () => once("sts", () => new STSClient(control)),
    close: () => {
      // A client takes its connections with it.
      if (options.connections === undefined) for (const client of opened.values()) client.destroy();
      opened.clear();
      data.close();
    },
  };
}

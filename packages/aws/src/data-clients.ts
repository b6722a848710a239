import { EBSClient } from "@aws-sdk/client-ebs";
import { S3Client } from "@aws-sdk/client-s3";
import type { CredentialSource } from "./aws-credentials.ts";
import { requestHandler } from "./request-handler.ts";

export interface AwsClientOptions {
  readonly region: string;
  /** Absent: the SDK's own chain (environment, profile, instance role). */
  readonly credentials?: CredentialSource;
  /** A profile of the AWS configuration files; only where no credentials are given. */
  readonly profile?: string;
  /** Absent: the SDK's choice, `AWS_ENDPOINT_URL` included. */
  readonly endpoint?: string;
}

/** The clients that carry data. Loading the others costs 100 MiB, which a backup by itself can't spare. */
export interface DataClients {
  /** For blocks. */
  ebs(): EBSClient;
  /** For the few calls that begin and complete a snapshot: the SDK repeats them. */
  ebsControl(): EBSClient;
  s3(): S3Client;
  close(): void;
}

/**
 * S3 and EBS carry the data: there our own `retry` decides (object store and block ports), so the SDK's is off, since
 * retries must never be nested.
 */
const dataPlaneAttempts = 1;
const dataPlaneSockets = 64;
const ebsControlAttempts = 8;

export function openDataClients(options: AwsClientOptions): DataClients {
  const data = {
    ...sharedSettings(options),
    maxAttempts: dataPlaneAttempts,
    requestHandler: requestHandler(dataPlaneSockets, 60_000),
  };
  let ebs: EBSClient | undefined;
  let ebsControl: EBSClient | undefined;
  let s3: S3Client | undefined;
  return {
    ebs: () => (ebs ??= new EBSClient(data)),
    ebsControl: () => (ebsControl ??= new EBSClient({ ...data, maxAttempts: ebsControlAttempts })),
    s3: () => (s3 ??= new S3Client({ ...data, forcePathStyle: options.endpoint !== undefined })),
    close: () => {
      ebs?.destroy();
      ebsControl?.destroy();
      s3?.destroy();
      ebs = undefined;
      ebsControl = undefined;
      s3 = undefined;
    },
  };
}

/** What all clients of one identity have in common. */
export function sharedSettings(options: AwsClientOptions) {
  return {
    region: options.region,
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
  };
}

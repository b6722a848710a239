import { EBSClient } from "@aws-sdk/client-ebs";
import { S3Client } from "@aws-sdk/client-s3";
import { systemClock, type Clock } from "@garrison/core/clock";
import type { CredentialSource } from "./aws-credentials.ts";
import type { BlockClient } from "./ebs/block-client.ts";
import { resolveBlockEndpoint } from "./ebs/block-endpoint.ts";
import { openBlockClient } from "./ebs/open-block-client.ts";
import { requestHandler } from "./request-handler.ts";
import type { SharedConnections } from "./shared-connections.ts";

export interface AwsClientOptions {
  readonly region: string;
  /** Absent: the SDK's own chain (environment, profile, instance role). */
  readonly credentials?: CredentialSource;
  /** A profile of the AWS configuration files; only where no credentials are given. */
  readonly profile?: string;
  /** Absent: the SDK's choice, `AWS_ENDPOINT_URL` included. */
  readonly endpoint?: string;
  /** What block calls are signed by; default: the system's. */
  readonly clock?: Clock;
  /** Tries of a control-plane call, the first included. 1 where somebody else repeats it; default 8. */
  readonly attempts?: number;
  /** Connections of control-plane calls that many identities share. */
  readonly connections?: SharedConnections;
}

/** The clients that carry data. Loading the others costs 100 MiB, which a backup by itself can't spare. */
export interface DataClients {
  /** Reads and writes blocks, one at a time, over connections of its own. */
  ebsBlocks(): BlockClient;
  /** For listing blocks. */
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
  let ebsBlocks: BlockClient | undefined;
  let ebsControl: EBSClient | undefined;
  let s3: S3Client | undefined;
  const openEbs = (): EBSClient => (ebs ??= new EBSClient(data));
  return {
    ebs: openEbs,
    ebsBlocks: () => (ebsBlocks ??= openBlocksOf(openEbs(), options.clock ?? systemClock)),
    ebsControl: () => (ebsControl ??= new EBSClient({ ...data, maxAttempts: ebsControlAttempts })),
    s3: () => (s3 ??= new S3Client({ ...data, forcePathStyle: options.endpoint !== undefined })),
    close: () => {
      ebsBlocks?.close();
      ebs?.destroy();
      ebsControl?.destroy();
      s3?.destroy();
      ebs = undefined;
      ebsBlocks = undefined;
      ebsControl = undefined;
      s3 = undefined;
    },
  };
}

/** Endpoint and credentials are those that the SDK's client has found. */
function openBlocksOf(ebs: EBSClient, clock: Clock): BlockClient {
  return openBlockClient({
    clock,
    endpoint: () => resolveBlockEndpoint(ebs),
    credentials: (wish) => ebs.config.credentials(wish),
  });
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

import { GetSnapshotBlockCommand, type EBSClient } from "@aws-sdk/client-ebs";
import { getEndpointFromInstructions } from "@smithy/core/endpoints";

/** Where block calls go, and for what their signature is good. */
export interface BlockEndpoint {
  readonly url: URL;
  readonly region: string;
  readonly service: string;
}

interface AuthScheme {
  readonly signingName?: string;
  readonly signingRegion?: string;
}

/** Asks the SDK's own rules: partition, FIPS, dual stack, and whatever the environment or the profile sets. */
export async function resolveBlockEndpoint(ebs: EBSClient): Promise<BlockEndpoint> {
  // The rules keep what they find out in the configuration that they are given: it must not be the client's own.
  const config = Object.create(ebs.config) as EBSClient["config"];
  const endpoint = await getEndpointFromInstructions({}, GetSnapshotBlockCommand, config);
  const [scheme] = (endpoint.properties?.["authSchemes"] ?? []) as readonly AuthScheme[];
  return {
    url: endpoint.url,
    region: scheme?.signingRegion ?? (await ebs.config.region()),
    service: scheme?.signingName ?? "ebs",
  };
}

import { createHash } from "node:crypto";

/** Signing name of a request -> the last part of the name of the endpoint service that it can take. */
const endpointServices: Readonly<Record<string, string>> = {
  ebs: "ebs",
  ec2: "ec2",
  ec2messages: "ec2messages",
  kms: "kms",
  s3: "s3",
  servicequotas: "servicequotas",
  sqs: "sqs",
  ssm: "ssm",
  ssmmessages: "ssmmessages",
  sts: "sts",
};

/** Services that have gateway endpoints; S3 has both kinds. */
const gatewayServices: ReadonlySet<string> = new Set(["s3"]);

/** `com.amazonaws.eu-central-1.sqs`; none for services without endpoints in a VPC (IAM, Organizations). */
export function endpointServiceName(signingName: string, region: string): string | undefined {
  const service = endpointServices[signingName];
  return service === undefined ? undefined : `com.amazonaws.${region}.${service}`;
}

export function isEndpointService(serviceName: string, region: string, type: string): boolean {
  const prefix = `com.amazonaws.${region}.`;
  const service = serviceName.slice(prefix.length);
  if (!serviceName.startsWith(prefix)) return false;
  return type === "Gateway"
    ? gatewayServices.has(service)
    : Object.values(endpointServices).includes(service);
}

/** The list of a service's public addresses that a gateway endpoint's route leads to. */
export interface PrefixList {
  readonly prefixListId: string;
  readonly prefixListName: string;
  readonly cidrs: readonly string[];
}

/** AWS's ids of these lists differ from Region to Region and never change; so do the lab's. */
export function prefixListOf(service: string, region: string): PrefixList {
  const prefixListName = `com.amazonaws.${region}.${service}`;
  const digest = createHash("sha256").update(prefixListName).digest("hex");
  return { prefixListId: `pl-${digest.slice(0, 8)}`, prefixListName, cidrs: [s3Range(region)] };
}

export function prefixListsOf(region: string): readonly PrefixList[] {
  return [...gatewayServices].map((service) => prefixListOf(service, region));
}

/*
 * Where the lab says that AWS's public endpoints are: in blocks set aside for measurements and documentation. S3 has other
 * addresses in each Region, so that a gateway endpoint leads to its own Region only.
 */
function s3Range(region: string): string {
  return `198.18.${regionNumber(region)}.0/24`;
}

export function publicAddressOf(signingName: string, region: string): string {
  return signingName === "s3" ? `198.18.${regionNumber(region)}.10` : "198.51.100.10";
}

function regionNumber(region: string): number {
  return createHash("sha256").update(region).digest()[0]!;
}

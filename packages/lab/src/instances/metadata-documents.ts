import type { MachineDescription } from "./machine-host.ts";

/** What the metadata service tells of a machine besides credentials, by path under `/latest/`. */
export function metadataDocuments(
  machine: MachineDescription,
  facts: MetadataFacts,
): ReadonlyMap<string, string> {
  const zone = machine.availabilityZone ?? `${machine.region}a`;
  const documents = new Map<string, string>([
    ["meta-data/ami-id", machine.imageId],
    ["meta-data/ami-launch-index", "0"],
    ["meta-data/hostname", hostName(machine)],
    ["meta-data/instance-action", "none"],
    ["meta-data/instance-id", machine.instanceId],
    ["meta-data/instance-life-cycle", "on-demand"],
    ["meta-data/instance-type", machine.instanceType ?? "t3.medium"],
    ["meta-data/local-hostname", hostName(machine)],
    ["meta-data/local-ipv4", machine.privateIp],
    ["meta-data/placement/availability-zone", zone],
    ["meta-data/placement/region", machine.region],
    ["meta-data/services/domain", "amazonaws.com"],
    ["meta-data/services/partition", "aws"],
    ["dynamic/instance-identity/document", identityDocument(machine, zone)],
  ]);
  if (facts.userData !== undefined) documents.set("user-data", facts.userData);
  if (facts.spotAction !== undefined)
    documents.set("meta-data/spot/instance-action", JSON.stringify(facts.spotAction));
  if (machine.roleArn !== undefined) documents.set("meta-data/iam/info", profileInfo(machine, facts));
  if (machine.metadataTags) {
    for (const [name, value] of Object.entries(facts.tags))
      documents.set(`meta-data/tags/instance/${name}`, value);
  }
  return documents;
}

export interface MetadataFacts {
  readonly userData: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly spotAction: { readonly action: string; readonly time: string } | undefined;
  readonly nowMs: number;
}

/** The document at a path, or the listing of what lies below it, as the metadata service lists folders. */
export function readMetadata(documents: ReadonlyMap<string, string>, path: string): string | undefined {
  const bare = path.replace(/\/+$/, "");
  const document = documents.get(bare);
  if (document !== undefined) return document;
  const below = bare === "" ? "" : `${bare}/`;
  const names = new Set<string>();
  for (const known of documents.keys()) {
    if (!known.startsWith(below)) continue;
    const [name = "", ...rest] = known.slice(below.length).split("/");
    names.add(rest.length > 0 ? `${name}/` : name);
  }
  return names.size === 0 ? undefined : [...names].sort().join("\n");
}

export function roleNameOf(roleArn: string): string {
  return roleArn.split("/").at(-1) ?? roleArn;
}

function hostName({ privateIp, region }: MachineDescription): string {
  return `ip-${privateIp.replaceAll(".", "-")}.${region}.compute.internal`;
}

function identityDocument(machine: MachineDescription, availabilityZone: string): string {
  const document = {
    accountId: machine.accountId,
    architecture: process.arch === "arm64" ? "arm64" : "x86_64",
    availabilityZone,
    billingProducts: null,
    devpayProductCodes: null,
    imageId: machine.imageId,
    instanceId: machine.instanceId,
    instanceType: machine.instanceType ?? "t3.medium",
    kernelId: null,
    marketplaceProductCodes: null,
    pendingTime: "2026-01-01T00:00:00Z",
    privateIp: machine.privateIp,
    ramdiskId: null,
    region: machine.region,
    version: "2017-09-30",
  };
  return JSON.stringify(document, null, 2);
}

function profileInfo(machine: MachineDescription, { nowMs }: MetadataFacts): string {
  const { accountId, roleArn = "" } = machine;
  return JSON.stringify({
    Code: "Success",
    LastUpdated: new Date(nowMs).toISOString(),
    InstanceProfileArn:
      machine.instanceProfileArn ?? `arn:aws:iam::${accountId}:instance-profile/${roleNameOf(roleArn)}`,
    InstanceProfileId: machine.instanceProfileId ?? "",
  });
}

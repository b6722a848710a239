/** Ids of the kind that AWS gives, for resources that don't exist yet when the check asks. */
const sampleIds: Readonly<Record<string, string>> = {
  association: "00000000-0000-0000-0000-000000000000",
  document: "AWS-RunShellScript",
  image: "ami-00000000000000000",
  instance: "i-00000000000000000",
  key: "00000000-0000-0000-0000-000000000000",
  "key-pair": "garrison",
  "network-interface": "eni-00000000000000000",
  "security-group": "sg-00000000000000000",
  snapshot: "snap-00000000000000000",
  subnet: "subnet-00000000000000000",
  volume: "vol-00000000000000000",
};

/**
 * A resource that the pattern covers. AWS's own documents and public parameters belong to no account: there the account
 * stays empty.
 */
export function sampleResource(pattern: string): string {
  if (pattern === "*") return pattern;
  const [arn, partition, service, region, account = "", ...rest] = pattern.split(":");
  const name = rest.join(":");
  const type = name.split("/")[0] ?? "";
  const filled = name === `${type}/*` ? `${type}/${sampleIds[type] ?? "garrison"}` : sampleValue(name);
  return [arn, partition, service, region, account === "*" ? "" : account, filled].join(":");
}

/** A text that the pattern covers. */
export function sampleValue(pattern: string): string {
  return pattern.replaceAll("*", "00000000");
}

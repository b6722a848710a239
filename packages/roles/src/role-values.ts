/**
 * What `${name}` in the catalogue stands for. Several values make several resources; none at all drops the resource,
 * and a grant that is left without resources, or with a condition on nothing, is not written.
 */
export interface RoleValues {
  readonly partition: string;
  readonly dnsSuffix: string;
  /** `ec2.amazonaws.com`; China has another one besides. */
  readonly ec2Principals: readonly string[];
  /** Where IAM is: `us-east-1`, but in other partitions. */
  readonly iamRegion: string;
  /** The account that the role lives in. */
  readonly account: string;
  readonly region: readonly string[];
  readonly installation: string;
  /** The role itself. */
  readonly roleArn: string;
  /** The worker role that this role may pass to EC2. */
  readonly workerRoleArn: readonly string[];
  readonly workerProfileArn: readonly string[];
  /** Roles that a restored instance may get (`--pass-roles`); none unless the owner lists them. */
  readonly passRoleArn: readonly string[];
  /** The roles that the appliance assumes. */
  readonly assumedRoleArn: readonly string[];
  readonly bucket: readonly string[];
  /** With a slash at its end, or empty. */
  readonly bucketPrefix: string;
  readonly stagingBucket: readonly string[];
  readonly repositoryKeyArn: readonly string[];
  /** Secrets that workers may be lent to log in to databases; none unless the owner lists them. */
  readonly databaseSecretArn: readonly string[];
  /** AWS Backup's vaults that file systems are backed up into. */
  readonly backupVault: readonly string[];
}

/** Every text that the template becomes, in the order of the values; a variable used twice has one value each time. */
export function fillTemplate(template: string, values: RoleValues): readonly string[] {
  const known: Readonly<Record<string, string | readonly string[]>> = { ...values };
  const names = [...new Set([...template.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1] ?? ""))];
  let texts: readonly string[] = [template];
  for (const name of names) {
    const value = known[name];
    if (value === undefined) throw new RangeError(`no value is called ${name} in ${template}`);
    const choices = typeof value === "string" ? [value] : value;
    texts = texts.flatMap((text) => choices.map((choice) => text.replaceAll(`\${${name}}`, choice)));
  }
  return texts;
}

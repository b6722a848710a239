/** What the demo calls things; accounts and operators are the lab's own seed. */
export const demoNames = {
  region: "eu-central-1",
  zone: "eu-central-1a",
  backupAccount: "111111111111",
  productionAccount: "222222222222",
  instance: "web-1",
  restoredInstance: "web-1-restored",
  bucket: "garrison-demo-repository",
  prefix: "main",
  stagingBucket: "garrison-demo-staging",
  externalId: "garrison-demo",
  rootDevice: "/dev/xvda",
  dataDevice: "/dev/sdf",
} as const;

export function roleArn(accountId: string, name: string): string {
  return `arn:aws:iam::${accountId}:role/${name}`;
}

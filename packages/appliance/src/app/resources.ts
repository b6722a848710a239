import type { Account } from "@garrison/api/schemas/accounts";
import type { Resource } from "@garrison/api/schemas/resources";
import { listInstances } from "@garrison/aws/ec2/list-instances";
import { roleOf } from "../access/aws-access.ts";
import { allAccounts, readAccount } from "../store/accounts.ts";
import { replaceResources } from "../store/resources.ts";
import type { AppCall, AppDependencies } from "./app-dependencies.ts";

/** Reads the instances of one account, or of all that have a backup role. */
export async function rescanResources(
  dependencies: AppDependencies,
  accountId: string | undefined,
  call: AppCall,
) {
  const { queries } = dependencies;
  const accounts =
    accountId === undefined
      ? (await allAccounts(queries)).filter(({ roles }) => roles.backup !== undefined)
      : [await readAccount(queries, accountId)];
  const scanned: { accountId: string; instances: number }[] = [];
  for (const account of accounts) {
    scanned.push({ accountId: account.id, instances: await scanAccount(dependencies, account, call) });
  }
  return { scanned };
}

async function scanAccount(dependencies: AppDependencies, account: Account, call: AppCall): Promise<number> {
  const { access, queries, clock } = dependencies;
  const role = roleOf(account, "backup");
  const partition = role.roleArn.split(":")[1] ?? "aws";
  const seenAt = new Date(clock.now());
  const instances = await listInstances(access.role(role), {}, call);
  const found: Resource[] = instances
    // Our own workers come and go; they hold nothing.
    .filter(({ tags }) => tags["garrison:worker"] === undefined)
    .map((instance) => ({
      arn: `arn:${partition}:ec2:${account.region}:${account.id}:instance/${instance.instanceId}`,
      kind: "ec2-instance",
      accountId: account.id,
      region: account.region,
      name: instance.name,
      state: instance.state,
      instanceType: instance.instanceType,
      volumes: instance.volumes.map(({ kmsKeyArn: _key, ...volume }) => volume),
      tags: instance.tags,
      seenAt: seenAt.toISOString(),
    }));
  await replaceResources(queries, { accountId: account.id, seenAt, found });
  return found.length;
}

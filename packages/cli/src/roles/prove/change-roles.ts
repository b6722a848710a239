import { applyRoleChange } from "@garrison/aws/apply-role-change";
import type { RoleChange } from "@garrison/roles/role-change";
import type { ProofBench } from "./proof-bench.ts";
import { proofNames, roleArn, type PlacedRole } from "./proof-names.ts";

/** A key that none of Garrison's grants tests. */
export const ownersKey = "aws:SourceVpce";
export const ownersInlinePolicy = "owners-own";

type ChangedRole = Pick<PlacedRole, "role" | "accountId">;

/**
 * Does what an owner may do at any time: gives roles an inline policy with a condition of their own, and a managed one.
 * Each time others, so that there is a change to find. Dispose of the answer to take them away again.
 */
export async function changeRoles(
  bench: ProofBench,
  roles: readonly ChangedRole[],
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const mark = Buffer.from(bench.random.bytes(4)).toString("hex");
  await using stack = new AsyncDisposableStack();
  for (const { accountId, role } of roles) {
    const { backupAccount } = proofNames;
    const clients = bench.operator[accountId === backupAccount ? "backup" : "production"];
    const arn = roleArn(accountId, `garrison-${role}`);
    const apply = (what: RoleChange["what"], name: string, after?: object) =>
      applyRoleChange(
        clients.iam(),
        { roleArn: arn, change: { what, name, ...(after === undefined ? {} : { after }) } },
        { signal },
      );
    const managed = `owners-${role}-${mark}`;
    await apply("write the inline policy", ownersInlinePolicy, ownersDocument(mark));
    stack.defer(() => apply("delete the inline policy", ownersInlinePolicy));
    await apply("create the managed policy", managed, ownersDocument(mark));
    stack.defer(() => apply("delete the managed policy", managed));
    await apply("attach the managed policy", managed);
    stack.defer(() => apply("detach the managed policy", managed));
  }
  return stack.move();
}

/** Grants what no run asks for, and only by way of an endpoint that isn't there. */
function ownersDocument(mark: string): object {
  const statement = {
    Sid: `Owners${mark}`,
    Effect: "Allow",
    Action: "cloudwatch:PutMetricData",
    Resource: "*",
    Condition: { StringEquals: { [ownersKey]: "vpce-0123456789abcdef0" } },
  };
  return { Version: "2012-10-17", Statement: [statement] };
}

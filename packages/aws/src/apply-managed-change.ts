import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  type IAMClient,
  SetDefaultPolicyVersionCommand,
} from "@aws-sdk/client-iam";
import type { Call } from "@garrison/roles/prober";
import { managedPolicyArn, ownerTag } from "@garrison/roles/repair/role-before";
import { parseRoleArn } from "@garrison/roles/role-arn";
import type { RoleChange } from "@garrison/roles/role-change";

/** Makes one change of a managed policy that is Garrison's own; false for changes of another kind. */
export async function applyManagedChange(
  iam: IAMClient,
  { change, roleArn }: { readonly roleArn: string; readonly change: RoleChange },
  call: Call,
): Promise<boolean> {
  const { name } = change;
  const { roleName: RoleName } = parseRoleArn(roleArn);
  const PolicyArn = managedPolicyArn(roleArn, name);
  const PolicyDocument = JSON.stringify(change.after);
  const abort = { abortSignal: call.signal };
  switch (change.what) {
    case "create the managed policy": {
      const Tags = [{ Key: ownerTag, Value: RoleName }];
      await iam.send(new CreatePolicyCommand({ PolicyName: name, PolicyDocument, Tags }), abort);
      return true;
    }
    case "change the managed policy":
      await iam.send(
        new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument, SetAsDefault: true }),
        abort,
      );
      return true;
    case "put back the managed policy":
      await putBack(iam, { PolicyArn, VersionId: change.versionId ?? "v1" }, call);
      return true;
    case "delete the managed policy":
      await iam.send(new DeletePolicyCommand({ PolicyArn }), abort);
      return true;
    case "attach the managed policy":
      await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }), abort);
      return true;
    case "detach the managed policy":
      await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }), abort);
      return true;
    default:
      return false;
  }
}

/** The version that was in force is in force again, and the one that took its place is gone. */
async function putBack(
  iam: IAMClient,
  former: { readonly PolicyArn: string; readonly VersionId: string },
  { signal: abortSignal }: Call,
): Promise<void> {
  const { PolicyArn } = former;
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }), { abortSignal });
  const VersionId = Policy?.DefaultVersionId;
  if (VersionId === former.VersionId) return;
  await iam.send(new SetDefaultPolicyVersionCommand(former), { abortSignal });
  await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }), { abortSignal });
}

import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  DeleteInstanceProfileCommand,
  DeleteRolePolicyCommand,
  type IAMClient,
  PutRolePolicyCommand,
  RemoveRoleFromInstanceProfileCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import type { RoleChange } from "@garrison/roles/plan-role";
import type { Call } from "@garrison/roles/prober";

/** Makes one change of a role that exists. What would make the role itself, or a managed policy, is not among them. */
export async function applyRoleChange(
  iam: IAMClient,
  { RoleName, change }: { readonly RoleName: string; readonly change: RoleChange },
  { signal: abortSignal }: Call,
): Promise<void> {
  const { name } = change;
  const PolicyDocument = JSON.stringify(change.after);
  const membership = { InstanceProfileName: name, RoleName };
  switch (change.what) {
    case "replace the trust policy":
      await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }), { abortSignal });
      return;
    case "write the inline policy":
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: name, PolicyDocument }), {
        abortSignal,
      });
      return;
    case "delete the inline policy":
      await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: name }), { abortSignal });
      return;
    case "create the instance profile":
      await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: name }), { abortSignal });
      return;
    case "put the role into the instance profile":
      await iam.send(new AddRoleToInstanceProfileCommand(membership), { abortSignal });
      return;
    case "take the role out of the instance profile":
      await iam.send(new RemoveRoleFromInstanceProfileCommand(membership), { abortSignal });
      return;
    case "delete the instance profile":
      await iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName: name }), { abortSignal });
      return;
    default:
      throw new RangeError(`not a change of a role that exists: ${change.what}`);
  }
}

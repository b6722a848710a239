import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  DeleteInstanceProfileCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  type IAMClient,
  PutRolePolicyCommand,
  RemoveRoleFromInstanceProfileCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import type { Call } from "@garrison/roles/prober";
import { parseRoleArn } from "@garrison/roles/role-arn";
import type { RoleChange } from "@garrison/roles/role-change";
import { applyManagedChange } from "./apply-managed-change.ts";

/** Makes one change of a role, of its profile or of its managed policies. */
export async function applyRoleChange(
  iam: IAMClient,
  { change, roleArn }: { readonly roleArn: string; readonly change: RoleChange },
  call: Call,
): Promise<void> {
  const { name } = change;
  const { roleName: RoleName } = parseRoleArn(roleArn);
  const PolicyDocument = JSON.stringify(change.after);
  const membership = { InstanceProfileName: name, RoleName };
  const abort = { abortSignal: call.signal };
  switch (change.what) {
    case "create the role": {
      const { description: Description } = change;
      const command = { RoleName, AssumeRolePolicyDocument: PolicyDocument, Description };
      await iam.send(new CreateRoleCommand(command), abort);
      return;
    }
    case "delete the role":
      await iam.send(new DeleteRoleCommand({ RoleName }), abort);
      return;
    case "replace the trust policy":
      await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }), abort);
      return;
    case "write the inline policy":
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: name, PolicyDocument }), abort);
      return;
    case "delete the inline policy":
      await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: name }), abort);
      return;
    case "create the instance profile":
      await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: name }), abort);
      return;
    case "put the role into the instance profile":
      await iam.send(new AddRoleToInstanceProfileCommand(membership), abort);
      return;
    case "take the role out of the instance profile":
      await iam.send(new RemoveRoleFromInstanceProfileCommand(membership), abort);
      return;
    case "delete the instance profile":
      await iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName: name }), abort);
      return;
    default:
      if (!(await applyManagedChange(iam, { change, roleArn }, call)))
        throw new RangeError(`not a change of a role: ${change.what}`);
  }
}

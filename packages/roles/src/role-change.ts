/** One step towards what is wanted of a role, with what it replaces. */
export interface RoleChange {
  readonly what:
    | "create the role"
    | "delete the role"
    | "replace the trust policy"
    | "write the inline policy"
    | "delete the inline policy"
    | "create the managed policy"
    | "change the managed policy"
    | "put back the managed policy"
    | "delete the managed policy"
    | "attach the managed policy"
    | "detach the managed policy"
    | "create the instance profile"
    | "put the role into the instance profile"
    | "take the role out of the instance profile"
    | "delete the instance profile";
  /** Of the role, the policy or the profile. */
  readonly name: string;
  readonly before?: object;
  readonly after?: object;
  /** Of a managed policy: the version that was in force before. */
  readonly versionId?: string;
  /** Of a new role. */
  readonly description?: string;
}

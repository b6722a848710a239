import type { Lab } from "../lab.ts";
import { nameKey, type AccessKey, type User } from "./identity-tables.ts";
import { newSecretAccessKey, newUniqueId } from "./unique-ids.ts";

export interface NewUser {
  readonly accountId: string;
  readonly userName: string;
  readonly attachedPolicyArns?: readonly string[];
}

/** Makes a user with one access key; for seeds and tests, past IAM's own permissions. */
export function createUserWithKey(
  lab: Lab,
  { accountId, userName, attachedPolicyArns = [] }: NewUser,
): AccessKey {
  const user: User = {
    accountId,
    userName,
    userId: newUniqueId(lab.random, "AIDA"),
    path: "/",
    arn: `arn:${lab.settings.partition}:iam::${accountId}:user/${userName}`,
    createdAtMs: lab.clock.now(),
    tags: {},
    inlinePolicies: {},
    attachedPolicyArns,
  };
  lab.identity.users.put(nameKey(accountId, userName), user);
  return createAccessKey(lab, accountId, userName);
}

export function createAccessKey(lab: Lab, accountId: string, userName: string | undefined): AccessKey {
  const key: AccessKey = {
    accessKeyId: newUniqueId(lab.random, "AKIA"),
    secretAccessKey: newSecretAccessKey(lab.random),
    accountId,
    status: "Active",
    createdAtMs: lab.clock.now(),
    ...(userName === undefined ? {} : { userName }),
  };
  lab.identity.accessKeys.put(key.accessKeyId, key);
  return key;
}

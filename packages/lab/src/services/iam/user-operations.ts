import type {
  CreateAccessKeyCommandInput,
  CreateUserCommandInput,
  DeleteAccessKeyCommandInput,
  DeleteUserCommandInput,
  GetUserCommandInput,
  ListAccessKeysCommandInput,
  ListUsersCommandInput,
  ListUserTagsCommandInput,
  TagUserCommandInput,
  UntagUserCommandInput,
  UpdateAccessKeyCommandInput,
  User as UserOutput,
} from "@aws-sdk/client-iam";
import { createAccessKey } from "../../identity/create-user-with-key.ts";
import { nameKey, type AccessKey, type User } from "../../identity/identity-tables.ts";
import { newUniqueId } from "../../identity/unique-ids.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { authorizedHolder, holdersOf, saveHolder, userHolder } from "./holders.ts";
import { alreadyExists, deleteConflict, limitExceeded, noSuchEntity } from "./iam-errors.ts";
import { checkName, checkPath } from "./iam-names.ts";
import { pageOf } from "./iam-page.ts";
import { addTags, readTags, tagContext, tagList, withoutTags } from "./iam-tags.ts";
import { attachablePolicy } from "./managed-policy-access.ts";
import { allOf } from "./role-operations.ts";

const maxKeysPerUser = 2;

export function createUser(input: CreateUserCommandInput, call: Call): object {
  const { users } = call.lab.identity;
  const path = input.Path ?? "/";
  checkName("userName", input.UserName, 64);
  checkPath(path);
  const userName = input.UserName!;
  const arn = `arn:${call.partition}:iam::${call.accountId}:user${path}${userName}`;
  const tags = readTags(input.Tags);
  const boundaryArn = input.PermissionsBoundary;
  const boundary: Record<string, string> =
    boundaryArn === undefined ? {} : { "iam:PermissionsBoundary": boundaryArn };
  call.authorize({
    action: "iam:CreateUser",
    resources: [{ arn, accountId: call.accountId }],
    context: { ...tagContext(tags), ...boundary },
  });
  const key = nameKey(call.accountId, userName);
  if (users.has(key)) throw alreadyExists("User", userName);
  if (boundaryArn !== undefined) attachablePolicy(call, boundaryArn);
  const user: User = {
    accountId: call.accountId,
    userName,
    userId: newUniqueId(call.lab.random, "AIDA"),
    path,
    arn,
    createdAtMs: call.lab.clock.now(),
    tags,
    inlinePolicies: {},
    attachedPolicyArns: [],
    ...(boundaryArn === undefined ? {} : { boundaryArn }),
  };
  users.put(key, user);
  return { User: describeUser(user) };
}

function describeUser(user: User): UserOutput {
  return {
    Path: user.path,
    UserName: user.userName,
    UserId: user.userId,
    Arn: user.arn,
    CreateDate: new Date(user.createdAtMs),
    ...(user.boundaryArn === undefined
      ? {}
      : {
          PermissionsBoundary: {
            PermissionsBoundaryType: "Policy" as never,
            PermissionsBoundaryArn: user.boundaryArn,
          },
        }),
    ...(Object.keys(user.tags).length === 0 ? {} : { Tags: tagList(user.tags) }),
  };
}

export function getUser(input: GetUserCommandInput, call: Call): object {
  return { User: describeUser(authorizedHolder(userHolder, { ...input }, { call, action: "GetUser" })) };
}

export function listUsers(input: ListUsersCommandInput, call: Call): object {
  call.authorize({ action: "iam:ListUsers", resources: [allOf(call, "user")] });
  const { items, ...page } = pageOf(holdersOf(userHolder, call, input.PathPrefix), input);
  return { Users: items.map(describeUser), ...page };
}

export function deleteUser(input: DeleteUserCommandInput, call: Call): object {
  const user = authorizedHolder(userHolder, { ...input }, { call, action: "DeleteUser" });
  if (keysOf(call, user.userName).length > 0)
    throw deleteConflict("Cannot delete entity, must delete access keys first.");
  if (Object.keys(user.inlinePolicies).length > 0)
    throw deleteConflict("Cannot delete entity, must delete policies first.");
  if (user.attachedPolicyArns.length > 0)
    throw deleteConflict("Cannot delete entity, must detach all policies first.");
  call.lab.identity.users.delete(nameKey(call.accountId, user.userName));
  return {};
}

export function tagUser(input: TagUserCommandInput, call: Call): object {
  const context = tagContext(readTags(input.Tags));
  const user = authorizedHolder(userHolder, { ...input }, { call, action: "TagUser", context });
  saveHolder(userHolder, call, { ...user, tags: addTags(user.tags, input.Tags) });
  return {};
}

export function untagUser(input: UntagUserCommandInput, call: Call): object {
  const user = authorizedHolder(
    userHolder,
    { ...input },
    { call, action: "UntagUser", context: { "aws:TagKeys": input.TagKeys ?? [] } },
  );
  saveHolder(userHolder, call, { ...user, tags: withoutTags(user.tags, input.TagKeys) });
  return {};
}

export function listUserTags(input: ListUserTagsCommandInput, call: Call): object {
  const user = authorizedHolder(userHolder, { ...input }, { call, action: "ListUserTags" });
  const { items, ...page } = pageOf(tagList(user.tags), input);
  return { Tags: items, ...page };
}

export function createUserAccessKey(input: CreateAccessKeyCommandInput, call: Call): object {
  const user = authorizedHolder(userHolder, { ...input }, { call, action: "CreateAccessKey" });
  if (keysOf(call, user.userName).length >= maxKeysPerUser) {
    throw limitExceeded(`Cannot exceed quota for AccessKeysPerUser: ${maxKeysPerUser}`);
  }
  const key = createAccessKey(call.lab, call.accountId, user.userName);
  return { AccessKey: { ...describeKey(key), SecretAccessKey: key.secretAccessKey } };
}

export function updateAccessKey(input: UpdateAccessKeyCommandInput, call: Call): object {
  const user = authorizedHolder(userHolder, { ...input }, { call, action: "UpdateAccessKey" });
  const key = keyOf(call, user, input.AccessKeyId!);
  call.lab.identity.accessKeys.put(key.accessKeyId, {
    ...key,
    status: input.Status === "Active" ? "Active" : "Inactive",
  });
  return {};
}

export function deleteAccessKey(input: DeleteAccessKeyCommandInput, call: Call): object {
  const user = authorizedHolder(userHolder, { ...input }, { call, action: "DeleteAccessKey" });
  call.lab.identity.accessKeys.delete(keyOf(call, user, input.AccessKeyId!).accessKeyId);
  return {};
}

export function listAccessKeys(input: ListAccessKeysCommandInput, call: Call): object {
  const user = authorizedHolder(userHolder, { ...input }, { call, action: "ListAccessKeys" });
  const { items, ...page } = pageOf(keysOf(call, user.userName), input);
  return { AccessKeyMetadata: items.map(describeKey), ...page };
}

function keysOf(call: Call, userName: string): AccessKey[] {
  return [...call.lab.identity.accessKeys.values()].filter(
    (key) => key.accountId === call.accountId && key.userName === userName,
  );
}

function keyOf(call: Call, user: User, accessKeyId: string): AccessKey {
  const key = keysOf(call, user.userName).find((candidate) => candidate.accessKeyId === accessKeyId);
  if (key === undefined) throw noSuchEntity("access key", accessKeyId);
  return key;
}

function describeKey({ userName, accessKeyId, status, createdAtMs }: AccessKey): object {
  return { UserName: userName, AccessKeyId: accessKeyId, Status: status, CreateDate: new Date(createdAtMs) };
}

import type {
  CreateAliasCommandInput,
  DeleteAliasCommandInput,
  ListAliasesCommandInput,
  UpdateAliasCommandInput,
} from "@aws-sdk/client-kms";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { arnOf, findKey } from "./find-key.ts";
import { permittedKey } from "./key-operations.ts";
import { keyTables, type AliasRecord } from "./key-record.ts";
import { pageOfKms } from "./kms-page.ts";

export function createAlias(input: CreateAliasCommandInput, call: Call): object {
  const name = input.AliasName!;
  const arn = permittedAlias(call, "CreateAlias", name);
  const key = permittedKey(call, "CreateAlias", input.TargetKeyId!);
  if (!/^alias\/[a-zA-Z0-9/_-]+$/.test(name) || name.startsWith("alias/aws/"))
    throw new AwsError("InvalidAliasNameException", `${name} is not a valid alias.`);
  const { aliases } = keyTables(call.lab.state);
  if (aliases.has(arn))
    throw new AwsError("AlreadyExistsException", `An alias with the name ${arn} already exists`);
  aliases.put(arn, {
    name,
    accountId: call.accountId,
    region: call.region,
    keyId: key.keyId,
    createdAtMs: call.lab.clock.now(),
  });
  return {};
}

/** Aliases take the right on the alias and on the key. */
function permittedAlias(call: Call, action: string, name: string): string {
  const arn = arnOf(call.lab, name, call);
  call.authorize({ action: `kms:${action}`, resources: [{ arn, accountId: call.accountId }] });
  return arn;
}

export function updateAlias(input: UpdateAliasCommandInput, call: Call): object {
  const alias = existing(call, permittedAlias(call, "UpdateAlias", input.AliasName!));
  const key = permittedKey(call, "UpdateAlias", input.TargetKeyId!);
  keyTables(call.lab.state).aliases.put(arnOf(call.lab, alias.name, alias), { ...alias, keyId: key.keyId });
  return {};
}

export function deleteAlias(input: DeleteAliasCommandInput, call: Call): object {
  const arn = permittedAlias(call, "DeleteAlias", input.AliasName!);
  permittedKey(call, "DeleteAlias", existing(call, arn).keyId);
  keyTables(call.lab.state).aliases.delete(arn);
  return {};
}

function existing(call: Call, arn: string): AliasRecord {
  const alias = keyTables(call.lab.state).aliases.get(arn);
  if (alias === undefined) throw new AwsError("NotFoundException", `Alias ${arn} is not found.`);
  return alias;
}

export function listAliases(input: ListAliasesCommandInput, call: Call): object {
  call.authorize({ action: "kms:ListAliases", resources: [{ arn: "*", accountId: call.accountId }] });
  const wanted = input.KeyId === undefined ? undefined : findKey(call.lab, input.KeyId, call)?.keyId;
  const own = [...keyTables(call.lab.state).aliases.values()]
    .filter(({ accountId, region }) => accountId === call.accountId && region === call.region)
    .filter(({ keyId }) => input.KeyId === undefined || keyId === wanted);
  const { items, ...page } = pageOfKms(own, input);
  const aliases = items.map((alias) => ({
    AliasName: alias.name,
    AliasArn: arnOf(call.lab, alias.name, alias),
    TargetKeyId: alias.keyId,
    CreationDate: new Date(alias.createdAtMs),
  }));
  return { Aliases: aliases, ...page };
}

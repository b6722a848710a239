import type {
  CreateGrantCommandInput,
  GrantListEntry,
  ListGrantsCommandInput,
  RetireGrantCommandInput,
  RevokeGrantCommandInput,
} from "@aws-sdk/client-kms";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { keyAccess, requireKey } from "./find-key.ts";
import { permittedKey } from "./key-operations.ts";
import { keyTables, type GrantRecord } from "./key-record.ts";
import { pageOfKms } from "./kms-page.ts";

export function createGrant(input: CreateGrantCommandInput, call: Call): object {
  const key = requireKey(call.lab, input.KeyId!, call);
  const operations = input.Operations!.map(String);
  const { EncryptionContextSubset, EncryptionContextEquals } = input.Constraints ?? {};
  const constraint =
    EncryptionContextEquals === undefined
      ? EncryptionContextSubset && "EncryptionContextSubset"
      : "EncryptionContextEquals";
  call.authorize({
    action: "kms:CreateGrant",
    resources: [keyAccess(call.lab, key)],
    context: {
      "kms:CallerAccount": call.accountId,
      "kms:GrantOperations": operations,
      "kms:GranteePrincipal": input.GranteePrincipal ?? "",
      "kms:GrantIsForAWSResource": "false",
      ...(constraint === undefined ? {} : { "kms:GrantConstraintType": constraint }),
    },
  });
  const grant: GrantRecord = {
    grantId: Buffer.from(call.lab.random.bytes(32)).toString("hex"),
    keyArn: key.arn,
    granteePrincipal: checkedPrincipal(input.GranteePrincipal),
    operations,
    issuingAccount: `arn:${call.partition}:iam::${call.accountId}:root`,
    createdAtMs: call.lab.clock.now(),
    ...(input.RetiringPrincipal === undefined ? {} : { retiringPrincipal: input.RetiringPrincipal }),
    ...(EncryptionContextSubset === undefined ? {} : { encryptionContextSubset: EncryptionContextSubset }),
    ...(EncryptionContextEquals === undefined ? {} : { encryptionContextEquals: EncryptionContextEquals }),
    ...(input.Name === undefined ? {} : { name: input.Name }),
  };
  keyTables(call.lab.state).grants.put(grant.grantId, grant);
  return { GrantId: grant.grantId, GrantToken: Buffer.from(grant.grantId).toString("base64") };
}

function checkedPrincipal(principal: string | undefined): string {
  if (principal === undefined || !/^arn:[^:]+:(iam|sts)::\d{12}:.+$/.test(principal)) {
    throw new AwsError(
      "InvalidArnException",
      `GranteePrincipal ${String(principal)} is not the ARN of a principal.`,
    );
  }
  return principal;
}

export function listGrants(input: ListGrantsCommandInput, call: Call): object {
  const key = permittedKey(call, "ListGrants", input.KeyId!);
  const grants = [...keyTables(call.lab.state).grants.values()]
    .filter(({ keyArn }) => keyArn === key.arn)
    .filter(({ grantId }) => input.GrantId === undefined || grantId === input.GrantId)
    .filter(
      ({ granteePrincipal }) =>
        input.GranteePrincipal === undefined || granteePrincipal === input.GranteePrincipal,
    );
  const { items, ...page } = pageOfKms(grants, input);
  return { Grants: items.map(describeGrant), ...page };
}

function describeGrant(grant: GrantRecord): GrantListEntry {
  return {
    KeyId: grant.keyArn,
    GrantId: grant.grantId,
    Name: grant.name,
    CreationDate: new Date(grant.createdAtMs),
    GranteePrincipal: grant.granteePrincipal,
    RetiringPrincipal: grant.retiringPrincipal,
    IssuingAccount: grant.issuingAccount,
    Operations: grant.operations as NonNullable<GrantListEntry["Operations"]>,
    Constraints: {
      EncryptionContextSubset: grant.encryptionContextSubset,
      EncryptionContextEquals: grant.encryptionContextEquals,
    },
  };
}

export function revokeGrant(input: RevokeGrantCommandInput, call: Call): object {
  const key = permittedKey(call, "RevokeGrant", input.KeyId!);
  const { grants } = keyTables(call.lab.state);
  if (grants.get(input.GrantId!)?.keyArn !== key.arn)
    throw new AwsError("NotFoundException", `Grant ${input.GrantId!} is not found.`);
  grants.delete(input.GrantId!);
  return {};
}

export function retireGrant(input: RetireGrantCommandInput, call: Call): object {
  const grantId = input.GrantId ?? Buffer.from(input.GrantToken ?? "", "base64").toString("latin1");
  const { grants } = keyTables(call.lab.state);
  const grant = grants.get(grantId);
  if (grant === undefined) throw new AwsError("NotFoundException", `Grant ${grantId} is not found.`);
  const mayRetire = [grant.retiringPrincipal, grant.granteePrincipal].includes(
    call.principal.roleArn ?? call.principal.arn,
  );
  if (!mayRetire) permittedKey(call, "RetireGrant", grant.keyArn);
  grants.delete(grantId);
  return {};
}

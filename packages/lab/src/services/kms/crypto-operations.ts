import type {
  DecryptCommandInput,
  EncryptCommandInput,
  GenerateDataKeyCommandInput,
  GenerateDataKeyWithoutPlaintextCommandInput,
  GenerateRandomCommandInput,
  ReEncryptCommandInput,
} from "@aws-sdk/client-kms";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { decryptBlob, encryptBlob, keyArnOfBlob, type EncryptionContext } from "./cipher.ts";
import { keyAccess, requireKey } from "./find-key.ts";
import type { KeyRecord } from "./key-record.ts";

const maxPlaintextBytes = 4096;
const algorithm = "SYMMETRIC_DEFAULT";

interface KeyUse {
  readonly action: string;
  readonly keyId: string;
  readonly context?: EncryptionContext | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Authorises the use of a key, with its encryption context, and checks that it is enabled. */
function authorizedKey(call: Call, { action, keyId, context = {}, dryRun }: KeyUse): KeyRecord {
  const key = requireKey(call.lab, keyId, call);
  call.authorize({
    action: `kms:${action}`,
    resources: [keyAccess(call.lab, key)],
    context: useContext(call, keyId, context),
  });
  if (key.state === "Disabled") throw new AwsError("DisabledException", `${key.arn} is disabled.`);
  if (key.state === "PendingDeletion")
    throw new AwsError("KMSInvalidStateException", `${key.arn} is pending deletion.`);
  if (dryRun)
    throw new AwsError(
      "DryRunOperationException",
      "The request would have succeeded, but the DryRun option is set.",
      { status: 412 },
    );
  return key;
}

function useContext(
  call: Call,
  keyId: string,
  context: EncryptionContext,
): Record<string, string | readonly string[]> {
  const keys: Record<string, string | readonly string[]> = {
    "kms:CallerAccount": call.accountId,
    "kms:EncryptionAlgorithm": algorithm,
    "kms:EncryptionContextKeys": Object.keys(context),
  };
  for (const [key, value] of Object.entries(context)) keys[`kms:EncryptionContext:${key}`] = value;
  if (keyId.includes("alias/")) keys["kms:RequestAlias"] = keyId.slice(keyId.indexOf("alias/"));
  return keys;
}

export function encrypt(input: EncryptCommandInput, call: Call): object {
  const { EncryptionContext: context = {}, Plaintext, KeyId, DryRun } = input;
  const key = authorizedKey(call, { action: "Encrypt", keyId: KeyId!, context, dryRun: DryRun });
  if (Plaintext!.length > maxPlaintextBytes) throw tooLong("plaintext");
  const blob = encryptBlob(Plaintext!, { key, context, random: call.lab.random });
  return { CiphertextBlob: blob, KeyId: key.arn, EncryptionAlgorithm: algorithm };
}

function tooLong(member: string): AwsError {
  return new AwsError(
    "ValidationException",
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have length less than or equal to ${maxPlaintextBytes}`,
  );
}

export function decrypt(input: DecryptCommandInput, call: Call): object {
  const { EncryptionContext: context = {}, CiphertextBlob, KeyId, DryRun } = input;
  const keyArn = keyArnOfBlob(CiphertextBlob!);
  const key = authorizedKey(call, { action: "Decrypt", keyId: keyArn, context, dryRun: DryRun });
  if (KeyId !== undefined && requireKey(call.lab, KeyId, call).arn !== key.arn) {
    throw new AwsError(
      "IncorrectKeyException",
      "The key ID in the request does not identify a CMK that can perform this operation.",
    );
  }
  return {
    Plaintext: decryptBlob(CiphertextBlob!, key, context),
    KeyId: key.arn,
    EncryptionAlgorithm: algorithm,
  };
}

export function generateDataKey(input: GenerateDataKeyCommandInput, call: Call): object {
  const { KeyId, EncryptionContext: context = {}, DryRun } = input;
  const key = authorizedKey(call, { action: "GenerateDataKey", keyId: KeyId!, context, dryRun: DryRun });
  const plaintext = call.lab.random.bytes(dataKeyBytes(input));
  return {
    Plaintext: plaintext,
    CiphertextBlob: encryptBlob(plaintext, { key, context, random: call.lab.random }),
    KeyId: key.arn,
  };
}

export function generateDataKeyWithoutPlaintext(
  input: GenerateDataKeyWithoutPlaintextCommandInput,
  call: Call,
): object {
  const { KeyId, EncryptionContext: context = {}, DryRun } = input;
  const key = authorizedKey(call, {
    action: "GenerateDataKeyWithoutPlaintext",
    keyId: KeyId!,
    context,
    dryRun: DryRun,
  });
  const plaintext = call.lab.random.bytes(dataKeyBytes(input));
  return {
    CiphertextBlob: encryptBlob(plaintext, { key, context, random: call.lab.random }),
    KeyId: key.arn,
  };
}

function dataKeyBytes({
  KeySpec,
  NumberOfBytes,
}: {
  readonly KeySpec?: string | undefined;
  readonly NumberOfBytes?: number | undefined;
}): number {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw new AwsError("ValidationException", "Please specify either number of bytes or key spec.");
  }
  if (KeySpec !== undefined) return KeySpec === "AES_128" ? 16 : 32;
  if (NumberOfBytes! < 1 || NumberOfBytes! > 1024)
    throw new AwsError("ValidationException", "NumberOfBytes is from 1 to 1024.");
  return NumberOfBytes!;
}

export function reEncrypt(input: ReEncryptCommandInput, call: Call): object {
  const {
    SourceEncryptionContext: from = {},
    DestinationEncryptionContext: to = {},
    CiphertextBlob,
    DryRun,
  } = input;
  const source = authorizedKey(call, {
    action: "ReEncryptFrom",
    keyId: keyArnOfBlob(CiphertextBlob!),
    context: from,
  });
  const target = authorizedKey(call, {
    action: "ReEncryptTo",
    keyId: input.DestinationKeyId!,
    context: to,
    dryRun: DryRun,
  });
  const plaintext = decryptBlob(CiphertextBlob!, source, from);
  const blob = encryptBlob(plaintext, { key: target, context: to, random: call.lab.random });
  return {
    CiphertextBlob: blob,
    SourceKeyId: source.arn,
    KeyId: target.arn,
    SourceEncryptionAlgorithm: algorithm,
    DestinationEncryptionAlgorithm: algorithm,
  };
}

export function generateRandom(input: GenerateRandomCommandInput, call: Call): object {
  call.authorize({ action: "kms:GenerateRandom", resources: [{ arn: "*", accountId: call.accountId }] });
  return { Plaintext: call.lab.random.bytes(input.NumberOfBytes ?? 32) };
}

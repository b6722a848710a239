import type { Call } from "../../../wire/operation-handler.ts";
import { invalidParameter } from "../shared/ec2-errors.ts";
import { findVolumeKey } from "./volume-key.ts";

export interface Encryption {
  readonly encrypted: boolean;
  readonly kmsKeyId?: string;
}

interface EncryptionRequest {
  readonly Encrypted?: boolean | undefined;
  readonly KmsKeyId?: string | undefined;
}

/**
 * Whether a new volume is encrypted and with which key: as its snapshot is, or as asked for, or because the account
 * encrypts everything in this Region.
 */
export function chooseEncryption(
  call: Call,
  request: EncryptionRequest,
  source: Encryption | undefined,
): Encryption {
  const account = call.lab.ec2.tables.ebsEncryption.get(`${call.accountId}/${call.region}`);
  if (request.KmsKeyId !== undefined && request.Encrypted === false) {
    throw invalidParameter("The parameter KmsKeyId requires the parameter Encrypted to be set.");
  }
  if (source?.encrypted === true && request.Encrypted === false) {
    throw invalidParameter("Encrypted flag cannot be set to false since device has an encrypted snapshot.");
  }
  const encrypted = source?.encrypted === true || request.Encrypted === true || account?.enabled === true;
  if (!encrypted) return { encrypted };
  const wanted = request.KmsKeyId ?? source?.kmsKeyId ?? account?.kmsKeyId;
  return { encrypted, kmsKeyId: findVolumeKey(call, wanted).arn };
}

import { readFile } from "node:fs/promises";
import { GarrisonError } from "@garrison/core/garrison-error";
import { parseEscrowSheet, type EscrowSheet } from "@garrison/repository/keys/escrow-sheet";
import type { KeyWrapper } from "@garrison/repository/keys/key-wrapper";
import type { RepositorySecret } from "@garrison/repository/keys/repository-secret";
import type { CliContext } from "../cli-context.ts";
import { regionOf } from "../repository-address.ts";
import { readPassword, type PasswordFlags } from "./read-password.ts";

export interface SecretFlags extends PasswordFlags {
  /** An escrow sheet opens the repository. */
  readonly sheet?: string;
  /** One of the KMS keys that the repository has opens it. */
  readonly kms?: true;
}

/** What opens the repository: an escrow sheet, a KMS key, or else the password. */
export async function readSecret(flags: SecretFlags, context: CliContext): Promise<RepositorySecret> {
  const { environment } = context;
  const sheet = flags.sheet ?? environment["GARRISON_ESCROW_SHEET"];
  if (sheet !== undefined && sheet !== "") return { masterSecret: (await readSheet(sheet)).secret };
  if (flags.kms === true || environment["GARRISON_KMS"] === "1") return { kms: await openKms(context) };
  return { password: await readPassword(flags, context) };
}

export async function readSheet(file: string): Promise<EscrowSheet> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new GarrisonError("usage", `the escrow sheet ${file} can't be read`, { cause });
  }
  return parseEscrowSheet(text);
}

/** KMS with the credentials at hand; a key is asked in the Region of its ARN. */
export async function openKms(context: CliContext, keyId?: string): Promise<KeyWrapper> {
  // Loaded here so that whoever uses a password does not wait for the SDK.
  const { openKmsKeyWrapper } = await import("@garrison/aws/kms-key-wrapper");
  const isArn = keyId?.startsWith("arn:") === true;
  // Stored wraps name ARNs; only an alias or an id needs the Region of the environment.
  const region = isArn || keyId === undefined ? (context.environment["AWS_REGION"] ?? "") : regionOf(context);
  return openKmsKeyWrapper({ region });
}

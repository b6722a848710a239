import { GarrisonError } from "@garrison/core/garrison-error";
import { exportEscrow } from "@garrison/repository/keys/escrow-keys";
import { initRepository } from "@garrison/repository/keys/init-repository";
import { openKeyring } from "@garrison/repository/keys/open-keyring";
import type { RepositorySecret } from "@garrison/repository/keys/repository-secret";
import type { CliContext } from "../cli-context.ts";
import { openStore } from "../repository-address.ts";
import { readGivenPassword, readPassword, type PasswordFlags } from "./read-password.ts";
import { openKms } from "./read-secret.ts";
import { openSheetFile } from "./sheet-file.ts";

export interface InitFlags extends PasswordFlags {
  readonly kmsKey?: string;
  readonly escrowFile?: string;
  readonly json?: true;
}

/** Creates a repository under a password, a KMS key or both, and an escrow sheet if one is wanted. */
export async function runInit(url: string, flags: InitFlags, context: CliContext): Promise<void> {
  const secrets = await readSecrets(flags, context);
  await using sheet = flags.escrowFile === undefined ? undefined : await openSheetFile(flags.escrowFile);
  using opened = await openStore(url, context);
  const { store } = opened;
  const { repositoryId } = await initRepository({ ...context, store }, secrets, context);
  if (sheet !== undefined) {
    const keyring = await openKeyring({ store }, { secrets: secrets.slice(0, 1) }, context);
    const escrow = await exportEscrow({ ...context, store }, { keyring, label: "escrow" }, context);
    await sheet.write(escrow.text);
  }
  const { address } = store;
  const lines = [
    `Created repository ${repositoryId} at ${address}`,
    ...(sheet === undefined
      ? []
      : [`The escrow sheet is in ${sheet.file}: print it, lock it away, delete the file.`]),
    `Without ${whatOpens(flags, secrets)} nothing in it can ever be read.`,
  ];
  context.stdout.write(
    flags.json === true
      ? `${JSON.stringify({ address, repositoryId, escrowFile: sheet?.file })}\n`
      : `${lines.join("\n")}\n`,
  );
}

async function readSecrets(flags: InitFlags, context: CliContext): Promise<readonly RepositorySecret[]> {
  const { kmsKey } = flags;
  if (kmsKey === undefined) return [{ password: await readPassword(flags, context, { isNew: true }) }];
  const given = await readGivenPassword(flags, context);
  if (given === "") throw new GarrisonError("usage", "the repository password is empty");
  const kms = { kms: await openKms(context, kmsKey), keyId: kmsKey };
  return given === undefined ? [kms] : [{ password: given }, kms];
}

function whatOpens(flags: InitFlags, secrets: readonly RepositorySecret[]): string {
  const ways = [
    ...secrets.map((secret) => ("password" in secret ? "its password" : "the KMS key")),
    ...(flags.escrowFile === undefined ? [] : ["the sheet"]),
  ];
  return ways.length === 1 ? ways[0]! : `${ways.slice(0, -1).join(", ")} or ${ways.at(-1)!}`;
}

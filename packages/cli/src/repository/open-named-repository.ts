import type { DomainKeys } from "@garrison/repository/keys/keys";
import { isDomainName } from "@garrison/repository/format/object-names";
import { openRepository, type Repository } from "@garrison/repository/keys/open-repository";
import type { CliContext } from "../cli-context.ts";
import { openStore, type OpenedStore } from "../repository-address.ts";
import { readSecret, type SecretFlags } from "./read-secret.ts";

export interface RepositoryFlags extends SecretFlags {
  readonly repository: string;
}

export interface OpenedRepository extends OpenedStore {
  readonly repository: Repository;
}

/**
 * Opens the repository at an address with the password, KMS key or escrow sheet at hand. One whose secret was left out of
 * a rotation opens with a warning: it may be read, as far as the secret reaches.
 */
export async function openNamedRepository(
  flags: RepositoryFlags,
  context: CliContext,
): Promise<OpenedRepository> {
  const secret = await readSecret(flags, context);
  const opened = await openStore(flags.repository, context);
  try {
    const repository = await openRepository(opened, secret, context);
    warnOfOutdated(repository, context);
    return { ...opened, repository };
  } catch (error) {
    opened[Symbol.dispose]();
    throw error;
  }
}

function warnOfOutdated({ epoch, newestEpoch }: Repository, context: CliContext): void {
  if (epoch === newestEpoch) return;
  context.stderr.write(
    `garrison: this secret was left out of a rotation: it opens key epochs 1 to ${epoch} of ${newestEpoch}, nothing made since\n`,
  );
}

/** The domain asked for, or all that the repository has, in the order of their names. */
export async function listDomains(
  opened: OpenedRepository,
  wanted: string | undefined,
  context: CliContext,
): Promise<readonly DomainKeys[]> {
  if (wanted !== undefined) return [opened.repository.domainKeys(wanted)];
  const domains: DomainKeys[] = [];
  for await (const folder of opened.store.listFolders("", context)) {
    const name = folder.slice(0, -1);
    if (isDomainName(name)) domains.push(opened.repository.domainKeys(name));
  }
  return domains;
}

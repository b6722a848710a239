import type { RepositoryAccess as RepositoryGrant } from "@garrison/channel/messages";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import type { OpenedRepository } from "../access/repository-access.ts";

/** What a worker is told of the repository: its address and the keys of one domain, never the master key. */
export function grantRepository(opened: OpenedRepository, domain: string): RepositoryGrant {
  const keys: DomainKeys = opened.repository.domainKeys(domain);
  return {
    url: opened.record.url,
    repositoryId: keys.repositoryId,
    domain: keys.domain,
    idKey: toBase64(keys.idKey),
    epochs: keys.epochs.map(({ epoch, mapKey, pointKey, controlPublicKey }) => ({
      epoch,
      mapKey: toBase64(mapKey),
      pointKey: toBase64(pointKey),
      controlPublicKey: toBase64(controlPublicKey),
    })),
  };
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

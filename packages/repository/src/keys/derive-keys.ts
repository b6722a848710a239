import { controlPair } from "../format/sealed-object.ts";
import { deriveKey } from "../format/derive-key.ts";
import { requireDomainName } from "../format/object-names.ts";
import type { DomainKeys } from "./keys.ts";
import type { Repository } from "./open-repository.ts";

/** A repository whose master keys are at hand, newest epoch last. */
export function deriveRepository(repositoryId: string, masterKeys: readonly Uint8Array[]): Repository {
  const first = masterKeys[0]!;
  const control = (domain: string) =>
    controlPair(deriveKey(first, "domain control", [requireDomainName(domain)]));
  return {
    repositoryId,
    domainKeys(domain): DomainKeys {
      return {
        repositoryId,
        domain: requireDomainName(domain),
        idKey: deriveKey(first, "domain id", [domain]),
        mapKey: deriveKey(first, "domain map", [domain]),
        pointKey: deriveKey(first, "domain point", [domain]),
        controlPublicKey: control(domain).publicKey,
      };
    },
    sessionDataKey: (domain, sessionId) =>
      deriveKey(first, "session data", [requireDomainName(domain), Buffer.from(sessionId, "hex")]),
    controlPrivateKey: (domain) => control(domain).privateKey,
  };
}

import { GarrisonError } from "@garrison/core/garrison-error";
import { controlPair } from "../format/sealed-object.ts";
import { deriveKey } from "../format/derive-key.ts";
import { requireDomainName } from "../format/object-names.ts";
import { joinEpochs } from "./epochs.ts";
import { describeKeys } from "./describe-keys.ts";
import type { EpochKeys } from "./keys.ts";
import type { Repository } from "./open-repository.ts";

/** A repository whose master keys are at hand, first epoch first. */
export function deriveRepository(repositoryId: string, masterKeys: readonly Uint8Array[]): Repository {
  const first = masterKeys[0]!;
  const control = (master: Uint8Array, domain: string) =>
    controlPair(deriveKey(master, "domain control", [requireDomainName(domain)]));
  return {
    repositoryId,
    epoch: masterKeys.length,
    newestEpoch: masterKeys.length,
    domainKeys(domain) {
      requireDomainName(domain);
      const epochs = masterKeys.map((master, index): EpochKeys => ({
        epoch: index + 1,
        mapKey: deriveKey(master, "domain map", [domain]),
        pointKey: deriveKey(master, "domain point", [domain]),
        controlPublicKey: control(master, domain).publicKey,
      }));
      return joinEpochs({ repositoryId, domain, idKey: deriveKey(first, "domain id", [domain]) }, epochs);
    },
    sessionDataKey(domain, sessionId, epoch) {
      const master = masterKeys[epoch - 1];
      if (master === undefined) {
        const reason = `session ${sessionId} is of key epoch ${epoch}, the keys at hand end with ${masterKeys.length}`;
        throw new GarrisonError("keys-outdated", reason);
      }
      return deriveKey(master, "session data", [requireDomainName(domain), Buffer.from(sessionId, "hex")]);
    },
    describeKeys: (objects) =>
      describeKeys({
        repositoryId,
        masterKeys,
        objects,
        newestEpoch: masterKeys.length,
        openedBy: new Map(),
      }),
    controlPrivateKey: (domain) => control(masterKeys.at(-1)!, domain).privateKey,
  };
}

import { decodeEpochSlot, epochCheck } from "../../format/key-marks.ts";
import { deriveRepository } from "../../keys/derive-keys.ts";
import type { DomainKeys } from "../../keys/keys.ts";
import type { Repository } from "../../keys/open-repository.ts";
import { Violation } from "../world/violation.ts";

export interface FirstKeys {
  readonly repository: Repository;
  readonly keys: DomainKeys;
  readonly masterKey: Uint8Array;
  readonly controlPrivateKey: Uint8Array;
}

/** The keys of every epoch that counts so far. */
export class ModelKeyring {
  readonly #masterKeys: Uint8Array[];
  /** What rotators have drawn: one of them may become the next master key. */
  readonly #drawn: Uint8Array[] = [];
  repository: Repository;
  keys: DomainKeys;

  constructor(first: FirstKeys) {
    this.#masterKeys = [first.masterKey];
    this.repository = first.repository;
    this.keys = first.keys;
  }

  noteDrawn(bytes: Uint8Array): void {
    this.#drawn.push(bytes);
  }

  /** An epoch's slot has been filled: from now on that key counts. */
  addEpoch(epoch: number, slot: Uint8Array): void {
    const { repositoryId } = this.repository;
    if (epoch !== this.#masterKeys.length + 1) throw new Violation(3, `epoch ${epoch} has begun out of turn`);
    const check = decodeEpochSlot({ repositoryId, epoch }, slot, this.#masterKeys[0]!)?.check;
    const masterKey = this.#drawn.find((drawn) => epochCheck(repositoryId, drawn) === check);
    if (masterKey === undefined) throw new Violation(3, `nobody has drawn the key of epoch ${epoch}`);
    this.#masterKeys.push(masterKey);
    this.repository = deriveRepository(repositoryId, this.#masterKeys);
    this.keys = this.repository.domainKeys(this.keys.domain);
  }
}

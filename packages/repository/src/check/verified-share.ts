import { parsePackName } from "../format/object-names.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore, StoreCall, StoredObject } from "../store/object-store.ts";
import { loadVerified } from "./verified-note.ts";
import type { VerifiedPacks } from "./verified-packs.ts";

/** How much of what is stored has been read whole lately. Packs that no point refers to any more count until a prune. */
export interface VerifiedShare {
  readonly bytes: number;
  /** Read since the given time. */
  readonly recentBytes: number;
  readonly neverBytes: number;
  /** When the pack was read that was read longest ago; nothing when none was. */
  readonly oldestReadMs?: number;
}

/** Adds up packs as a listing comes by them. */
export class VerifiedShareCount {
  readonly #verified: VerifiedPacks;
  readonly #sinceSeconds: number;
  #share = { bytes: 0, recentBytes: 0, neverBytes: 0 };
  #oldest = Number.POSITIVE_INFINITY;

  private constructor(verified: VerifiedPacks, sinceMs: number) {
    this.#verified = verified;
    this.#sinceSeconds = sinceMs / 1000;
  }

  static async open(
    dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
    sinceMs: number,
    call: StoreCall,
  ): Promise<VerifiedShareCount> {
    const { verified } = await loadVerified(dependencies, call);
    return new VerifiedShareCount(verified, sinceMs);
  }

  add(object: StoredObject): void {
    const pack = parsePackName(object.key);
    if (pack === undefined) return;
    const at = this.#verified.find(pack);
    this.#share.bytes += object.sizeBytes;
    if (at === 0) this.#share.neverBytes += object.sizeBytes;
    else this.#oldest = Math.min(this.#oldest, at);
    if (at > 0 && at >= this.#sinceSeconds) this.#share.recentBytes += object.sizeBytes;
  }

  share(): VerifiedShare {
    const oldest = Number.isFinite(this.#oldest) ? { oldestReadMs: this.#oldest * 1000 } : {};
    return { ...this.#share, ...oldest };
  }
}

import { decodeForward, findForwarded, type Forward } from "../../format/forward.ts";
import { packName, parseForwardName } from "../../format/object-names.ts";
import { readSignedBody, type OpenedObject } from "../../format/sealed-object.ts";
import type { SimulatedBucket } from "../world/simulated-bucket.ts";
import { Violation } from "../world/violation.ts";
import type { ModelKeyring } from "./model-keyring.ts";
import type { ReachedItem } from "./model-point.ts";
import type { PackShelf } from "./pack-shelf.ts";

export interface ForwardBookOptions {
  readonly keyring: ModelKeyring;
  readonly shelf: PackShelf;
  readonly bucket: SimulatedBucket;
}

/** The forwards that are there, each of them compared with the packs it names when it was stored. */
export class ForwardBook {
  readonly #options: ForwardBookOptions;
  /** By the name of the pack whose items have gone, then by the forward's own name. */
  readonly #byOrigin = new Map<string, Map<string, Forward>>();

  constructor(options: ForwardBookOptions) {
    this.#options = options;
  }

  add(object: OpenedObject): void {
    const { keys } = this.#options.keyring;
    const name = parseForwardName(object.name);
    const { isSigned, body } = readSignedBody(keys, object);
    if (name === undefined || !isSigned) return;
    const forward = decodeForward(body, name, object.name);
    this.#compare(forward, object.name);
    const origin = packName(keys.domain, name.kind, name.origin);
    const forwards = this.#byOrigin.get(origin) ?? new Map<string, Forward>();
    this.#byOrigin.set(origin, forwards.set(object.name, forward));
  }

  remove(key: string): void {
    for (const forwards of this.#byOrigin.values()) forwards.delete(key);
  }

  /** Whether a reader that finds the pack gone gets the item: some forward names it whose target is there. */
  leadsToItem(pack: string, item: ReachedItem): boolean {
    return this.forwardOf(pack, item) !== undefined;
  }

  /** The forward that a reader takes: the greatest name whose target is there. */
  forwardOf(pack: string, item: ReachedItem): string | undefined {
    const names = [...(this.#byOrigin.get(pack) ?? [])].sort(([left], [right]) => (left < right ? 1 : -1));
    return names.find(
      ([, forward]) => this.#isThere(forward) && findForwarded(forward, item) !== undefined,
    )?.[0];
  }

  /** Packs that forwards lead to, by the forward's name. */
  targetOf(name: string): string {
    const parsed = parseForwardName(name)!;
    return packName(this.#options.keyring.keys.domain, parsed.kind, parsed.target);
  }

  #isThere(forward: Forward): boolean {
    return this.#options.bucket.has(
      packName(this.#options.keyring.keys.domain, forward.kind, forward.target),
    );
  }

  /** Every moved item must be the same sealed bytes at its new place as at its old one. */
  #compare(forward: Forward, name: string): void {
    const { shelf } = this.#options;
    const { kind } = forward;
    const origin = shelf.find(kind, { ...forward.origin, pack: forward.origin.number });
    const target = shelf.find(kind, { ...forward.target, pack: forward.target.number });
    if (target === undefined) throw new Violation(4, `${name} leads to a pack that was never stored`);
    if (origin === undefined) throw new Violation(4, `${name} is for a pack that was never stored`);
    for (const item of forward.items) {
      if (item.sealedIn !== undefined) continue;
      const before = origin.bytes.subarray(item.offset, item.offset + item.length);
      const after = target.bytes.subarray(item.newOffset, item.newOffset + item.newLength);
      if (!origin.items.has(item.offset) || Buffer.compare(before, after) !== 0) {
        throw new Violation(1, `${name} leads byte ${item.offset} to other bytes`);
      }
    }
  }
}

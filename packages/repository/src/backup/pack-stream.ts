import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import type { MarkPack } from "../format/session-objects.ts";
import { packName, type PackKind } from "../format/object-names.ts";
import { PackBuilder, packKey, type FooterEntry } from "../format/pack-container.ts";

export interface PackStreamOptions {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly kind: PackKind;
  readonly session: string;
  readonly lane: string;
  /** The session's data key for packs, the domain's map key for map packs. */
  readonly secret: Uint8Array;
  readonly packBytes: number;
  readonly packsInFlight: number;
  /** Until when the packs are to be locked. */
  readonly retainUntilMs?: number;
  /** Runs before a full pack is sent and is waited for: what it refers to must be stored first. */
  readonly beforeStore?: () => Promise<void>;
}

/**
 * Fills packs one after the other and sends them in the background, a bounded number at a time. Calls must not overlap.
 * A failed send surfaces at the next call. Buffers are used again.
 */
export class PackStream {
  readonly #options: PackStreamOptions;
  readonly #call: StoreCall;
  readonly #sending = new Set<Promise<void>>();
  readonly #free: Buffer[] = [];
  #stored: MarkPack[] = [];
  #failure: { readonly error: unknown } | undefined;
  #builder: PackBuilder | undefined;
  #buffer: Buffer | undefined;
  #nextNumber = 0;

  constructor(options: PackStreamOptions, call: StoreCall) {
    this.#options = options;
    this.#call = call;
  }

  /** Packs begun so far. */
  get begun(): number {
    return this.#nextNumber;
  }

  async append(
    item: Omit<FooterEntry, "offset" | "length">,
    payload: Uint8Array,
    aad: Uint8Array,
  ): Promise<{ readonly pack: number; readonly offset: number; readonly length: number }> {
    if (this.#builder !== undefined && !this.#builder.hasRoomFor(payload.length)) await this.closePack();
    this.#builder ??= await this.#begin();
    return { pack: this.#builder.pack.number, ...this.#builder.append(item, payload, aad) };
  }

  /** Sends the pack that is being filled, if there is one, without waiting for its arrival. */
  async closePack(): Promise<void> {
    this.#throwFailure();
    const builder = this.#builder;
    const buffer = this.#buffer;
    if (builder === undefined || buffer === undefined) return;
    this.#builder = undefined;
    this.#buffer = undefined;
    await this.#options.beforeStore?.();
    const sending = this.#send(builder, buffer).catch((error: unknown) => {
      this.#failure ??= { error };
    });
    this.#sending.add(sending);
    void sending.then(() => this.#sending.delete(sending));
  }

  /** After it, everything appended is stored. */
  async flush(): Promise<void> {
    await this.closePack();
    await Promise.all(this.#sending);
    this.#throwFailure();
  }

  /** Waits for what is on its way, whatever its fate: no call outlives a failed session. */
  async settle(): Promise<void> {
    await Promise.all(this.#sending);
  }

  /** Packs stored since the last time it was asked, for the next mark. */
  takeStored(): readonly MarkPack[] {
    const stored = this.#stored;
    this.#stored = [];
    return stored.sort((left, right) => left.number - right.number);
  }

  async #begin(): Promise<PackBuilder> {
    while (this.#sending.size >= this.#options.packsInFlight) await Promise.race(this.#sending);
    this.#throwFailure();
    const { kind, session, lane, keys, secret, packBytes } = this.#options;
    const pack = { kind, session, lane, number: this.#nextNumber++ };
    this.#buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(packBytes);
    return new PackBuilder(pack, { keys, itemKey: packKey(secret, pack) }, this.#buffer);
  }

  async #send(builder: PackBuilder, buffer: Buffer): Promise<void> {
    const bytes = builder.finish();
    const { retainUntilMs } = this.#options;
    const retain = retainUntilMs === undefined ? {} : { retainUntilMs };
    // "exists" means that an earlier try arrived: nobody else writes under this lane's name.
    await this.#options.store.create(
      packName(this.#options.keys.domain, builder.pack.kind, builder.pack),
      bytes,
      { ...this.#call, ...retain },
    );
    const { lane, kind, number } = builder.pack;
    this.#stored.push({ lane, kind, number, items: builder.items, sizeBytes: bytes.length });
    this.#free.push(buffer);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

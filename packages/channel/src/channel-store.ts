import { z } from "zod";
import type { Random } from "@garrison/core/random";
import { GarrisonError } from "@garrison/core/garrison-error";
import { newIdentity, peerIdentitySchema } from "./peer-identity.ts";

const sequence = z.number().int().nonnegative();

/**
 * Everything that one end of a channel has to remember: keys, what it may send next, what the other side has not
 * acknowledged (sealed already: the store holds no plain message), what it has handed over. Plain JSON. Secret.
 */
export const storedChannelSchema = z.object({
  /** Grows by one with each save; the first is 1. */
  revision: sequence,
  identity: peerIdentitySchema,
  nextSequence: sequence.min(1),
  unacknowledged: z.array(z.object({ sequence: sequence.min(1), type: z.string(), body: z.string() })),
  /** Greatest sequence that this end has finished with; all before it are too. */
  delivered: sequence,
});
export type StoredChannel = z.infer<typeof storedChannelSchema>;

export interface ChannelStoreCall {
  readonly signal: AbortSignal;
}

/** Where one end of one channel keeps its record. Every implementation passes `channel-store-contract.ts`. */
export interface ChannelStore {
  load(call: ChannelStoreCall): Promise<StoredChannel | undefined>;
  /**
   * Durably replaces the record if what is stored has `record.revision - 1` (nothing stored counts as 0); otherwise
   * changes nothing and returns false.
   */
  save(record: StoredChannel, call: ChannelStoreCall): Promise<boolean>;
}

/** The stored record; the first call makes it, keys included. Two that race for it get the same one. */
export async function loadOrCreateChannel(
  dependencies: { readonly store: ChannelStore; readonly random: Random },
  call: ChannelStoreCall,
): Promise<StoredChannel> {
  const known = await dependencies.store.load(call);
  if (known !== undefined) return known;
  const record: StoredChannel = {
    revision: 1,
    identity: newIdentity(dependencies.random),
    nextSequence: 1,
    unacknowledged: [],
    delivered: 0,
  };
  if (await dependencies.store.save(record, call)) return record;
  const other = await dependencies.store.load(call);
  if (other !== undefined) return other;
  throw new GarrisonError("channel-store-invalid", "the channel's record was refused and is not there");
}

import { z } from "zod";

export const channelVersion = 1;

const directions = ["to-worker", "to-appliance"] as const;
export type Direction = (typeof directions)[number];

/** Which run's worker a channel belongs to. Every message names it, so that none counts anywhere else. */
export interface ChannelAddress {
  readonly installation: string;
  readonly run: string;
  readonly worker: string;
}

/**
 * What travels beside the sealed payload: readable for anyone, changed by nobody (signed, and the cipher's associated
 * data). `sequence` counts from 1; 0 is an acknowledgement, which is itself never acknowledged.
 */
export const messageHeaderSchema = z.strictObject({
  version: z.literal(channelVersion),
  installation: z.string().max(64),
  run: z.string().max(128),
  worker: z.string().max(64),
  direction: z.enum(directions),
  sequence: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  type: z.string().min(1).max(32),
});
export type MessageHeader = z.infer<typeof messageHeaderSchema>;

/** The type of the messages that only acknowledge; never that of an application message. */
export const acknowledgementType = "acknowledgement";

export function isAddressedTo(header: MessageHeader, address: ChannelAddress, direction: Direction): boolean {
  return (
    header.installation === address.installation &&
    header.run === address.run &&
    header.worker === address.worker &&
    header.direction === direction
  );
}

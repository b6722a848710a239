import type { Clock } from "@garrison/core/clock";
import type { Logger } from "@garrison/core/logger";
import type { Random } from "@garrison/core/random";
import { minuteMs, secondMs } from "@garrison/core/units";
import type { ZodType } from "zod";
import type { ChannelStore } from "./channel-store.ts";
import type { ChannelAddress, Direction } from "./message-header.ts";
import type { MessageTransport } from "./message-transport.ts";
import { toApplianceSchema, toWorkerSchema, type ToAppliance, type ToWorker } from "./messages.ts";
import type { PublicKeys } from "./peer-identity.ts";

/** What one side says and hears. */
export interface ChannelSide<Incoming, Outgoing> {
  readonly sends: Direction;
  readonly receives: Direction;
  readonly incoming: ZodType<Incoming>;
  readonly outgoing: ZodType<Outgoing>;
}

export const workerSide: ChannelSide<ToWorker, ToAppliance> = {
  sends: "to-appliance",
  receives: "to-worker",
  incoming: toWorkerSchema,
  outgoing: toApplianceSchema,
};

export const applianceSide: ChannelSide<ToAppliance, ToWorker> = {
  sends: "to-worker",
  receives: "to-appliance",
  incoming: toApplianceSchema,
  outgoing: toWorkerSchema,
};

export interface ChannelDependencies {
  readonly transportIn: MessageTransport;
  readonly transportOut: MessageTransport;
  readonly store: ChannelStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface ChannelOptions<Incoming, Outgoing> {
  readonly address: ChannelAddress;
  readonly side: ChannelSide<Incoming, Outgoing>;
  readonly peer: PublicKeys;
  readonly limits?: Partial<ChannelLimits>;
  /** What somebody has to mend though the conversation goes on, in one sentence; told once. */
  readonly onTrouble?: (sentence: string) => void;
}

export interface ChannelLimits {
  /** A heartbeat goes out when nothing else did for so long; it is never handed to the application. */
  readonly heartbeatMs: number;
  readonly resendBaseMs: number;
  readonly resendMaxMs: number;
  /** Deliveries within this time share one acknowledgement. */
  readonly acknowledgeAfterMs: number;
  /** How long a `send` waits for room before it says `channel-full`. */
  readonly sendPatienceMs: number;
  /** How long a transport may fail without a break before the channel gives up. */
  readonly transportPatienceMs: number;
  readonly receiveWaitSeconds: number;
}

export const defaultChannelLimits: ChannelLimits = {
  heartbeatMs: 30 * secondMs,
  resendBaseMs: 3 * secondMs,
  resendMaxMs: minuteMs,
  acknowledgeAfterMs: 100,
  sendPatienceMs: 2 * minuteMs,
  transportPatienceMs: 5 * minuteMs,
  receiveWaitSeconds: 20,
};

/** Messages under way in one direction, at most; both sides rely on it, so it belongs to the protocol. */
export const windowSize = 64;

/** What happened on a channel since it was opened. */
export interface ChannelCounters {
  readonly sent: number;
  readonly repeated: number;
  readonly delivered: number;
  /** Seen before: repeated by the queue, the peer, or somebody who keeps copies. */
  readonly duplicates: number;
  /** Not a message of this channel: no envelope, or another installation's, run's, worker's or direction's. */
  readonly foreign: number;
  readonly forged: number;
  readonly damaged: number;
  /** Authentic, but further ahead than the window allows. */
  readonly beyondWindow: number;
  readonly transportErrors: number;
  readonly unacknowledged: number;
  /** When the peer last said something new; replays don't count. Opening counts. */
  readonly lastHeardMs: number;
}

export interface ReceivedMessage<Incoming> {
  /** The same message has the same sequence after a restart: the key by which a handler knows it again. */
  readonly sequence: number;
  readonly message: Incoming;
}

/** One end of the conversation between appliance and worker. */
export interface Channel<Incoming, Outgoing> {
  /**
   * Resolves once the message is durably in the outbox; from then on it is repeated, over restarts too, until it is
   * acknowledged. Throws `message-invalid`, `message-too-large`, `channel-full`, `channel-superseded`, `channel-closed`.
   */
  send(message: Outgoing): Promise<void>;
  /**
   * The peer's messages in order, each once. Asking for the next says that the last one is finished with: only then it
   * is acknowledged, so one that was in hand when the process died comes again with the same sequence. One reader at a
   * time. Ends when the channel is closed; throws what made it fail.
   */
  messages(): AsyncIterable<ReceivedMessage<Incoming>>;
  /** Says that a message is finished with, for a reader that asks for no further one. */
  finish(sequence: number): Promise<void>;
  /** Resolves when the peer has acknowledged everything sent so far. */
  drained(call: { readonly signal: AbortSignal }): Promise<void>;
  counters(): ChannelCounters;
  /** Stops; sends an acknowledgement that is due. What is unacknowledged stays in the store. Idempotent. */
  close(): Promise<void>;
}

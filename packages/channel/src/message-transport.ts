/** A message as the transport handed it over; `receipt` is what acknowledges this copy of it. */
export interface ReceivedBody {
  readonly body: string;
  readonly receipt: string;
}

export interface TransportCall {
  readonly signal: AbortSignal;
}

/**
 * One direction of a queue that may lose nothing for long but repeats, reorders and is open to strangers (SQS standard
 * queues, https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html).
 * Every implementation passes `message-transport-contract.ts`. Errors are GarrisonErrors; a retryable one is tried again.
 */
export interface MessageTransport {
  /** At most 256 KiB of printable ASCII. Resolves once the queue has taken it. */
  send(body: string, call: TransportCall): Promise<void>;
  /**
   * Up to ten messages, as soon as there is one; an empty list after `waitSeconds` (0 to 20). What is not acknowledged
   * comes again after a while.
   */
  receive(call: TransportCall & { readonly waitSeconds: number }): Promise<readonly ReceivedBody[]>;
  /** Removes received messages from the queue. Stale or unknown receipts are no error. */
  acknowledge(receipts: readonly string[], call: TransportCall): Promise<void>;
}

/** What the journal knows of a queue. */
export interface QueueRecord {
  readonly accountId: string;
  readonly region: string;
  readonly name: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** Only what was set; the rest are defaults. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** A message attribute as it was sent; binary values in base64. */
export interface StoredAttribute {
  readonly dataType: string;
  readonly text?: string | undefined;
  readonly base64?: string | undefined;
}

/** What never changes about a message, so that receiving doesn't write its body again. */
export interface MessageRecord {
  readonly messageId: string;
  readonly queueKey: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, StoredAttribute>>;
  readonly senderId: string;
  readonly sentMs: number;
  readonly sequence: number;
  readonly groupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
  readonly deadLetterSourceArn?: string | undefined;
}

/** How far a message's delivery is. */
export interface DeliveryRecord {
  readonly visibleAtMs: number;
  readonly receiveCount: number;
  readonly firstReceivedMs?: number | undefined;
  /** Of the last receipt handle handed out. */
  readonly receipt?: string | undefined;
}

export function queueKey({
  accountId,
  region,
  name,
}: Pick<QueueRecord, "accountId" | "region" | "name">): string {
  return `${accountId}/${region}/${name}`;
}

export function isFifo({ name }: Pick<QueueRecord, "name">): boolean {
  return name.endsWith(".fifo");
}

/**
 * Copies the small byte fields of a message into memory of their own: a message carries the whole buffer that a view looks
 * into, and small buffers lie together in pools of 64 KiB.
 */
export function withOwnMemory<Message extends object>(message: Message): Message {
  const fields = Object.entries(message).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Uint8Array && value.byteLength < value.buffer.byteLength ? new Uint8Array(value) : value,
  ]);
  return Object.fromEntries(fields) as Message;
}

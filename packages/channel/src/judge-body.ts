import { z } from "zod";
import { isAddressedTo, type ChannelAddress, type Direction, type MessageHeader } from "./message-header.ts";
import { openMessage, parseJson, type ChannelKeys } from "./seal-message.ts";

export const payloadSchema = z.object({
  /** Greatest sequence of the other direction that the sender has finished with. */
  acknowledged: z.number().int().nonnegative(),
  message: z.unknown().optional(),
});
export type ChannelPayload = z.infer<typeof payloadSchema>;

/** `ours`: authentic, and said on this very channel. Otherwise why it is dropped. */
export type JudgedBody =
  | { readonly verdict: "ours"; readonly header: MessageHeader; readonly payload: ChannelPayload }
  | { readonly verdict: "foreign" | "forged" | "damaged" };

/** Judges one body from the queue. Never throws: whatever it is, somebody else may have put it there. */
export function judgeBody(
  channel: { readonly keys: ChannelKeys; readonly address: ChannelAddress; readonly receives: Direction },
  body: string,
): JudgedBody {
  const opened = openMessage(channel.keys, body);
  if (opened.outcome !== "opened") return { verdict: opened.outcome };
  const { header } = opened;
  const payload = payloadSchema.safeParse(parseJson(opened.payload));
  const isOurs = isAddressedTo(header, channel.address, channel.receives) && payload.success;
  return isOurs ? { verdict: "ours", header, payload: payload.data } : { verdict: "foreign" };
}

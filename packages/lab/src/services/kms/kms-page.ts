import { AwsError } from "../../wire/aws-error.ts";

export interface KmsPageInput {
  readonly Limit?: number | undefined;
  readonly Marker?: string | undefined;
}

/** One page in KMS's words: Limit, Marker, Truncated, NextMarker. */
export function pageOfKms<Item>(
  all: readonly Item[],
  { Limit = 100, Marker }: KmsPageInput,
): { items: readonly Item[]; Truncated: boolean; NextMarker?: string } {
  const start = Marker === undefined ? 0 : Number(Buffer.from(Marker, "base64").toString("latin1"));
  if (!Number.isInteger(start)) throw new AwsError("InvalidMarkerException", "The marker is not valid.");
  const items = all.slice(start, start + Limit);
  const next = start + items.length;
  return next < all.length
    ? { items, Truncated: true, NextMarker: Buffer.from(String(next)).toString("base64") }
    : { items, Truncated: false };
}

import { AwsError } from "../../wire/aws-error.ts";

export interface PageInput {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly IsTruncated: boolean;
  readonly Marker?: string;
}

/** One page of a list that is ordered by name; the marker is opaque to callers. */
export function pageOf<Item>(all: readonly Item[], input: PageInput): Page<Item> {
  const size = input.MaxItems ?? 100;
  if (size < 1 || size > 1000)
    throw new AwsError("ValidationError", `MaxItems must be between 1 and 1000, not ${size}`);
  const start = input.Marker === undefined ? 0 : readMarker(input.Marker);
  const items = all.slice(start, start + size);
  const next = start + items.length;
  return next < all.length
    ? { items, IsTruncated: true, Marker: writeMarker(next) }
    : { items, IsTruncated: false };
}

function writeMarker(next: number): string {
  return Buffer.from(`next:${next}`).toString("base64");
}

function readMarker(marker: string): number {
  const hit = /^next:(\d+)$/.exec(Buffer.from(marker, "base64").toString("latin1"));
  if (hit === null) throw new AwsError("ValidationError", "Invalid Marker.");
  return Number(hit[1]);
}

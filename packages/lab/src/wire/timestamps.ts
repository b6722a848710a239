import type { TimestampFormat } from "./schema.ts";

/** A date in the form a protocol wants: epoch seconds are a number, the others text. */
export function formatTimestamp(value: unknown, format: TimestampFormat): string | number {
  const date = value instanceof Date ? value : new Date(value as string | number);
  if (format === "epoch-seconds") return date.getTime() / 1000;
  if (format === "http-date") return date.toUTCString();
  return date.toISOString();
}

/** Reads any of the three forms; undefined when it is none of them. */
export function parseTimestamp(value: unknown, format: TimestampFormat): Date | undefined {
  if (typeof value === "number") return new Date(value * 1000);
  if (typeof value !== "string" || value === "") return undefined;
  const asNumber = Number(value);
  const date =
    format === "epoch-seconds" && Number.isFinite(asNumber) ? new Date(asNumber * 1000) : new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

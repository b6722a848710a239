import { AwsError } from "../../wire/aws-error.ts";
import type { ByteRange } from "./blob-store.ts";
import type { ObjectVersion } from "./object-record.ts";

type Sized = Pick<ObjectVersion, "sizeBytes" | "parts">;

/** The bytes a Range header asks for; none where there is no header or, as HTTP says, not one that we understand. */
export function rangeOfRequest(header: string | undefined, version: Sized): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) return undefined;
  const lastByte = version.sizeBytes - 1;
  const suffix = first === "";
  const start = suffix ? Math.max(0, version.sizeBytes - Number(last)) : Number(first);
  const end = suffix || last === "" ? lastByte : Math.min(Number(last), lastByte);
  if (!suffix && last !== "" && Number(last) < Number(first)) return undefined;
  if (start > lastByte || (suffix && Number(last) === 0)) throw invalidRange(header ?? "", version.sizeBytes);
  return { start, end };
}

/** The bytes of one part of a multipart object; part 1 of any other object is the whole. */
export function rangeOfPart(number: number, version: Sized): ByteRange {
  const parts = version.parts ?? [{ number: 1, sizeBytes: version.sizeBytes }];
  const index = parts.findIndex((part) => part.number === number);
  if (index < 0) {
    throw new AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", { status: 416 });
  }
  const start = parts.slice(0, index).reduce((sum, part) => sum + part.sizeBytes, 0);
  return { start, end: start + parts[index]!.sizeBytes - 1 };
}

function invalidRange(header: string, sizeBytes: number): AwsError {
  return new AwsError("InvalidRange", "The requested range is not satisfiable", {
    status: 416,
    members: { RangeRequested: header, ActualObjectSize: sizeBytes },
    headers: { "content-range": `bytes */${sizeBytes}` },
  });
}

import { anyText, matchesCodes, type PatternCodes } from "./wildcard-pattern.ts";

const colon = 58;

/** `ArnLike`: each of the six colon-separated parts is compared by itself; only the last may hold colons. */
export function matchesArn(pattern: PatternCodes, arn: string): boolean {
  if (!arn.startsWith("arn:")) return false;
  if (pattern.length === 1 && pattern[0] === anyText) return true;
  const parts = splitCodes(pattern);
  const segments = splitArn(arn);
  if (parts === undefined || segments === undefined) return false;
  return parts.every((part, place) => matchesCodes(part, segments[place] as string));
}

function splitCodes(codes: PatternCodes): readonly PatternCodes[] | undefined {
  const parts: PatternCodes[] = [];
  let from = 0;
  for (let at = 0; at < codes.length && parts.length < 5; at++) {
    if (codes[at] !== colon) continue;
    parts.push(codes.slice(from, at));
    from = at + 1;
  }
  if (parts.length < 5) return undefined;
  parts.push(codes.slice(from));
  return parts;
}

function splitArn(arn: string): readonly string[] | undefined {
  const segments = arn.split(":");
  return segments.length < 6 ? undefined : [...segments.slice(0, 5), segments.slice(5).join(":")];
}

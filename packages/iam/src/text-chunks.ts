import { anyText, type PatternCodes } from "./wildcard-pattern.ts";

/** A pattern whose only wildcard is `*`, as the plain texts between the stars. */
export interface TextChunks {
  readonly first: string;
  readonly between: readonly string[];
  /** Undefined where the pattern has no star: the first text is then all of it. */
  readonly last: string | undefined;
}

/** Undefined if the pattern has other wildcards. */
export function splitAtStars(codes: PatternCodes): TextChunks | undefined {
  const texts = [""];
  for (const code of codes) {
    if (code === anyText) texts.push("");
    else if (code < 0) return undefined;
    else texts[texts.length - 1] += String.fromCharCode(code);
  }
  const [first = "", ...rest] = texts;
  const last = rest.pop();
  return { first, between: rest.filter((text) => text !== ""), last };
}

/** The same as `matchesCodes`, by the engine's own text search: each text at the first place where it fits is enough. */
export function matchesChunks({ first, between, last }: TextChunks, text: string): boolean {
  if (last === undefined) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first)) return false;
  let from = first.length;
  for (const chunk of between) {
    const found = text.indexOf(chunk, from);
    if (found < 0) return false;
    from = found + chunk.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}

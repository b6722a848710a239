import { type Truth, no, truthOf, unknown, yes } from "./truth.ts";
import { parseTemplate, renderPattern, type TextTemplate, type VariableSource } from "./text-template.ts";
import { matchesChunks, splitAtStars, type TextChunks } from "./text-chunks.ts";
import {
  anyCharacter,
  anyCharacterInSegment,
  anyText,
  anyTextInSegment,
  matchesCodes,
  matchesSegmentedCodes,
  type PatternCodes,
} from "./wildcard-pattern.ts";

const colon = 58;

interface PreparedPattern {
  readonly codes: PatternCodes;
  /** The plain text before the first wildcard: most resources of other services already differ here. */
  readonly prefix: string;
  /** Whether some wildcard has to stay inside its segment, which needs the slower matcher. */
  readonly isSegmented: boolean;
  /** Where the pattern is plain enough for the quickest matcher. */
  readonly chunks: TextChunks | undefined;
}

/** A value of `Resource` or `NotResource`. */
export interface ResourcePattern {
  readonly source: string;
  readonly matchesAll: boolean;
  readonly template: TextTemplate;
  readonly prepared: PreparedPattern | undefined;
  /** The pattern with its variables as stars: what doesn't match this matches for no value of them. */
  readonly widest: TextChunks | undefined;
}

export function compileResourcePattern(source: string, withVariables: boolean): ResourcePattern {
  const template = parseTemplate(completeArn(source), withVariables);
  const prepared = template.rendered === undefined ? undefined : prepare(template.rendered.codes);
  const widest = prepared === undefined ? splitAtStars(renderWidest(template)) : undefined;
  return { source, matchesAll: source === "*", template, prepared, widest };
}

function renderWidest(template: TextTemplate): PatternCodes {
  return renderPattern(template, { readVariable: () => "unknown" })?.codes ?? [anyText];
}

/** An ARN with fewer than six fields stands for one with `*` in the missing ones, as AWS documents. */
function completeArn(source: string): string {
  const missing = 6 - source.split(":", 6).length;
  return source.startsWith("arn:") ? `${source}${":*".repeat(missing)}` : source;
}

export function matchResource(pattern: ResourcePattern, resource: string, variables: VariableSource): Truth {
  if (pattern.matchesAll) return yes;
  if (pattern.prepared !== undefined) return truthOf(matchesPrepared(pattern.prepared, resource));
  if (pattern.widest !== undefined && !matchesChunks(pattern.widest, resource)) return no;
  const rendered = renderPattern(pattern.template, variables);
  if (rendered === undefined || !matchesPrepared(prepare(rendered.codes), resource)) return no;
  return rendered.isUnknown ? unknown : yes;
}

function matchesPrepared(pattern: PreparedPattern, resource: string): boolean {
  if (pattern.chunks !== undefined) return matchesChunks(pattern.chunks, resource);
  if (!resource.startsWith(pattern.prefix)) return false;
  return pattern.isSegmented
    ? matchesSegmentedCodes(pattern.codes, resource)
    : matchesCodes(pattern.codes, resource, pattern.prefix.length);
}

/**
 * In the first five segments of an ARN a wildcard stays inside its segment, except a `*` that ends the segment: that one
 * may reach over the colons that follow, as AWS documents. In the resource part wildcards match everything.
 */
function prepare(codes: PatternCodes): PreparedPattern {
  const result: number[] = [];
  let colons = 0;
  let isSegmented = false;
  for (let place = 0; place < codes.length; place++) {
    const code = codes[place] as number;
    if (code === colon) colons++;
    const next = codes[place + 1];
    const isBound =
      colons < 5 &&
      (code === anyCharacter ||
        (code === anyText && next !== undefined && next !== colon && next !== anyText));
    if (isBound) isSegmented = true;
    if (!isBound) result.push(code);
    else result.push(code === anyText ? anyTextInSegment : anyCharacterInSegment);
  }
  const firstWildcard = result.findIndex((code) => code < 0);
  const plain = firstWildcard < 0 ? result : result.slice(0, firstWildcard);
  const prefix = plain.map((code) => String.fromCharCode(code)).join("");
  return { codes: result, prefix, isSegmented, chunks: splitAtStars(result) };
}

import {
  anyCharacter,
  anyText,
  anyTextInSegment,
  appendPattern,
  type PatternCodes,
} from "../wildcard-pattern.ts";

const colon = 58;
const slash = 47;

/** Any text without a slash or colon: the name of a bucket, in the patterns of resource types. */
const anyName = -5;

/** A policy's text with its wildcards; what looks like a variable stands for any text. */
export function patternCodes(text: string): PatternCodes {
  const codes: number[] = [];
  appendPattern(codes, text.replaceAll(/\$\{[^}]*\}/g, "*"));
  return codes;
}

/** The same, with variables as plain text: only the same variable is the same. */
export function literalCodes(text: string): PatternCodes {
  const codes: number[] = [];
  appendPattern(codes, text);
  return codes;
}

/** `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}` as a pattern. */
export function templateCodes(arn: string): PatternCodes {
  const codes: number[] = [];
  let colons = 0;
  for (const [part] of arn.matchAll(/\$\{[^}]*\}|[^$]+|\$/g)) {
    if (part.startsWith("${")) {
      codes.push(part === "${BucketName}" ? anyName : colons < 5 ? anyTextInSegment : anyText);
      continue;
    }
    colons += part.split(":").length - 1;
    appendPattern(codes, part);
  }
  return codes;
}

function isStar(code: number): boolean {
  return code === anyText || code === anyTextInSegment || code === anyName;
}

/** Whether one character of both can be the same one. */
function meet(left: number, right: number): boolean {
  if (left === right) return true;
  return admits(left, right) || admits(right, left);
}

function admits(wildcard: number, code: number): boolean {
  if (wildcard >= 0) return false;
  if (code < 0 || wildcard === anyText || wildcard === anyCharacter) return true;
  return code !== colon && (wildcard === anyTextInSegment || code !== slash);
}

/** Whether some text matches both patterns; time is the product of their lengths. */
export function doOverlap(left: PatternCodes, right: PatternCodes): boolean {
  // Two rows that take turns: a new one for each character would be most of the work.
  let [below, row] = [new Uint8Array(right.length + 1), new Uint8Array(right.length + 1)];
  for (let at = left.length; at >= 0; at--) {
    const rows = { left, right, row, below };
    for (let place = right.length; place >= 0; place--) row[place] = overlapsFrom(rows, at, place) ? 1 : 0;
    [below, row] = [row, below];
  }
  return below[0] === 1;
}

interface Overlap {
  readonly left: PatternCodes;
  readonly right: PatternCodes;
  /** What holds from here on with more of `right`, and from the next place of `left`. */
  readonly row: Uint8Array;
  readonly below: Uint8Array;
}

function overlapsFrom({ left, right, row, below }: Overlap, at: number, place: number): boolean {
  const one = left[at];
  const other = right[place];
  if (one === undefined && other === undefined) return true;
  const skipOne = below[place] === 1;
  const skipOther = row[place + 1] === 1;
  if (one !== undefined && isStar(one)) {
    if (skipOne) return true;
    if (other !== undefined && skipOther && (isStar(other) || meet(one, other))) return true;
  }
  if (other !== undefined && isStar(other)) {
    if (skipOther) return true;
    if (one !== undefined && skipOne && (isStar(one) || meet(one, other))) return true;
  }
  if (one === undefined || other === undefined) return false;
  return !isStar(one) && !isStar(other) && below[place + 1] === 1 && meet(one, other);
}

/**
 * Whether whatever matches `inner` matches `outer`; it may miss some, never claims too much: a star of the inner pattern
 * stands for any text, so only a star of the outer one takes it.
 */
export function doesCover(outer: PatternCodes, inner: PatternCodes): boolean {
  let [reached, next] = [new Uint8Array(outer.length + 1), new Uint8Array(outer.length + 1)];
  reached[0] = 1;
  spread(outer, reached);
  for (const code of inner) {
    next.fill(0);
    for (let place = 0; place < outer.length; place++) {
      if (reached[place] !== 1) continue;
      const own = outer[place] as number;
      if (own === anyText) next[place] = 1;
      else if (own === code || (own === anyCharacter && code >= 0)) next[place + 1] = 1;
    }
    spread(outer, next);
    [reached, next] = [next, reached];
  }
  return reached[outer.length] === 1;
}

function spread(outer: PatternCodes, reached: Uint8Array): void {
  for (let place = 0; place < outer.length; place++) {
    if (reached[place] === 1 && outer[place] === anyText) reached[place + 1] = 1;
  }
}

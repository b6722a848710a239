/**
 * Patterns are lists of numbers: a UTF-16 code unit, or one of the wildcards below. Numbers rather than text because a
 * value that a policy variable brought in may hold `*` and `?` as plain characters.
 */
export type PatternCodes = readonly number[];

export const anyText = -1;
export const anyCharacter = -2;
/** Wildcards that stay inside one colon-separated segment of an ARN. */
export const anyTextInSegment = -3;
export const anyCharacterInSegment = -4;

const colon = 58;
const star = 42;
const questionMark = 63;

/** Appends `text` with `*` and `?` as wildcards. */
export function appendPattern(codes: number[], text: string): void {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    codes.push(code === star ? anyText : code === questionMark ? anyCharacter : code);
  }
}

/** Appends `text` with no character being special. */
export function appendLiteral(codes: number[], text: string): void {
  for (let at = 0; at < text.length; at++) codes.push(text.charCodeAt(at));
}

/**
 * Whether `text` matches; its first `start` characters are known to be the pattern's first `start` codes. It remembers only the last `*`, which is enough since a later star can
 * take over whatever an earlier one would: time is at most pattern length times text length, never exponential.
 */
export function matchesCodes(codes: PatternCodes, text: string, start = 0): boolean {
  let at = start;
  let place = start;
  let starPlace = -1;
  let starAt = start;
  while (at < text.length) {
    const code = codes[place];
    if (code === anyText) {
      starPlace = place++;
      starAt = at;
    } else if (code !== undefined && (code === anyCharacter || code === text.charCodeAt(at))) {
      place++;
      at++;
    } else if (starPlace >= 0) {
      place = starPlace + 1;
      at = ++starAt;
    } else return false;
  }
  while (codes[place] === anyText) place++;
  return place === codes.length;
}

/**
 * The same with wildcards that may not cross a colon. There the last star can't stand in for an earlier one, so all places
 * in the pattern that the text read so far can have reached are kept at once.
 */
export function matchesSegmentedCodes(codes: PatternCodes, text: string): boolean {
  let reached = new Uint8Array(codes.length + 1);
  reached[0] = 1;
  spreadOverStars(codes, reached);
  for (let at = 0; at < text.length; at++) {
    const next = new Uint8Array(codes.length + 1);
    const character = text.charCodeAt(at);
    for (let place = 0; place < codes.length; place++) {
      if (reached[place] === 1) step(codes[place] as number, character, { next, place });
    }
    spreadOverStars(codes, next);
    reached = next;
  }
  return reached[codes.length] === 1;
}

function step(code: number, character: number, to: { next: Uint8Array; place: number }): void {
  const staysOnStar = code === anyText || (code === anyTextInSegment && character !== colon);
  if (staysOnStar) to.next[to.place] = 1;
  const consumes =
    code === character || code === anyCharacter || (code === anyCharacterInSegment && character !== colon);
  if (consumes) to.next[to.place + 1] = 1;
}

function spreadOverStars(codes: PatternCodes, reached: Uint8Array): void {
  for (let place = 0; place < codes.length; place++) {
    const code = codes[place];
    if (reached[place] === 1 && (code === anyText || code === anyTextInSegment)) reached[place + 1] = 1;
  }
}

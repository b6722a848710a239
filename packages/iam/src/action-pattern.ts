import { appendPattern, matchesCodes, type PatternCodes } from "./wildcard-pattern.ts";

/** A value of `Action` or `NotAction`. */
export interface ActionPattern {
  /** In lower case; actions are compared without case. */
  readonly text: string;
  /** Undefined where the text has no wildcard. */
  readonly codes: PatternCodes | undefined;
}

export function compileAction(action: string): ActionPattern {
  const text = action.toLowerCase();
  if (!/[*?]/.test(text)) return { text, codes: undefined };
  const codes: number[] = [];
  appendPattern(codes, text);
  return { text, codes };
}

/** The action has to be in lower case. */
export function listsAction(patterns: readonly ActionPattern[], action: string): boolean {
  return patterns.some(({ text, codes }) =>
    codes === undefined ? text === action : matchesCodes(codes, action),
  );
}

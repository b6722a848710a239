/**
 * Kleene's three values as numbers, so that "and" is the smaller and "or" the larger one: 0 false, 1 unknown, 2 true.
 * Plain numbers because this is the inner loop of every evaluation.
 */
export type Truth = 0 | 1 | 2;

export const no = 0;
export const unknown = 1;
export const yes = 2;

export function and(left: Truth, right: Truth): Truth {
  return left < right ? left : right;
}

export function or(left: Truth, right: Truth): Truth {
  return left > right ? left : right;
}

export function not(value: Truth): Truth {
  return (2 - value) as Truth;
}

export function truthOf(value: boolean): Truth {
  return value ? yes : no;
}

import type { RequestContext } from "./request-context.ts";
import { no, type Truth, truthOf, unknown, yes } from "./truth.ts";

export interface Outcome {
  readonly allow: Truth;
  readonly deny: Truth;
}

/** Enough for a dozen entangled tests; past it the answer stays "unknown", which is never wrong. */
const maxWorlds = 2_000;

/**
 * Three-valued logic forgets that two tests look at the same key: "is vpce-1" or "is not vpce-1" would be unknown. So where
 * it finds no answer, the tests it hung on are supposed true and false in turn, until each branch has an answer. Tests count
 * as independent unless they are the same or each other's negation; that may leave a branch that can't happen, so the
 * union of the branches says too little at times but never too much.
 */
export function supposeWorlds(
  request: RequestContext,
  decide: (request: RequestContext) => Outcome,
): Outcome {
  const open: ReadonlyMap<string, boolean>[] = [new Map()];
  const ends: Outcome[] = [];
  for (let count = 0; open.length > 0; count++) {
    if (count >= maxWorlds) return { allow: unknown, deny: unknown };
    const supposed = open.pop() as ReadonlyMap<string, boolean>;
    let pending: string | undefined;
    const outcome = decide({
      ...request,
      ask: (test) => {
        const answer = supposed.get(test);
        if (answer === undefined) pending ??= test;
        return answer === undefined ? unknown : truthOf(answer);
      },
    });
    if (isSettled(outcome) || pending === undefined) ends.push(outcome);
    else open.push(new Map(supposed).set(pending, true), new Map(supposed).set(pending, false));
  }
  return uniteOutcomes(ends);
}

function isSettled({ allow, deny }: Outcome): boolean {
  return deny === yes || allow === no || (allow === yes && deny === no);
}

/** What holds in all branches: allowed, denied, or denied explicitly. */
function uniteOutcomes(ends: readonly Outcome[]): Outcome {
  if (ends.every(({ allow, deny }) => allow === yes && deny === no)) return { allow: yes, deny: no };
  if (ends.every(({ deny }) => deny === yes)) return { allow: unknown, deny: yes };
  if (ends.every(({ allow, deny }) => deny === yes || allow === no)) return { allow: no, deny: unknown };
  return { allow: unknown, deny: unknown };
}

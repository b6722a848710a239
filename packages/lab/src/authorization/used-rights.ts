import type { EvaluationRequest } from "@garrison/iam/evaluation-case";
import type { CallerPrincipal } from "../identity/caller-principal.ts";
import type { AccessAnswer } from "./evaluate-access.ts";

/** One action asked for by one role, and the statement of its identity policies that gave it; denied ones have none. */
export interface UsedRight {
  readonly roleArn: string;
  readonly action: string;
  readonly isAllowed: boolean;
  readonly policy?: string;
  readonly statement?: string;
  readonly count: number;
  /** Requests that no other statement of the role's identity policies gave. */
  readonly aloneCount: number;
  /** The first request that was answered so, with its whole context. */
  readonly request: EvaluationRequest;
}

/** What roles asked for since it was last cleared, added up: unlike the call log it forgets nothing. */
export interface UsedRights {
  note(caller: CallerPrincipal, answer: AccessAnswer): void;
  list(): readonly UsedRight[];
  clear(): void;
}

type MutableRight = { -readonly [Key in keyof UsedRight]: UsedRight[Key] };

export function openUsedRights(): UsedRights {
  const rights = new Map<string, MutableRight>();
  const add = (right: UsedRight): void => {
    const { roleArn, action, isAllowed, policy, statement } = right;
    const key = [roleArn, action, isAllowed, policy, statement].join("|");
    const known = rights.get(key);
    if (known === undefined) return void rights.set(key, right);
    known.count += right.count;
    known.aloneCount += right.aloneCount;
  };
  return {
    note({ roleArn }, { question: { request }, result }) {
      if (roleArn === undefined) return;
      const isAllowed = result.decision === "Allowed";
      const base = { roleArn, action: request.action, isAllowed, count: 1, request };
      if (!isAllowed) return add({ ...base, aloneCount: 0 });
      const giving = result.matched.filter(({ layer }) => layer === "identity");
      const aloneCount = giving.length === 1 ? 1 : 0;
      for (const { policy, sid } of giving)
        add({ ...base, aloneCount, policy, ...(sid === undefined ? {} : { statement: sid }) });
    },
    list: () => [...rights.values()],
    clear: () => rights.clear(),
  };
}

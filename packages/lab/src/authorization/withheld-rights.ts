import type { NamedPolicy } from "@garrison/iam/evaluation-case";
import { AwsError } from "../wire/aws-error.ts";

/** One action of a role that its policies grant and the lab enforces as if they didn't. */
export interface WithheldRight {
  readonly roleArn: string;
  readonly action: string;
  /** Taken out of the statement of this Sid only; absent: out of all. */
  readonly statement?: string;
}

interface Statement {
  readonly Sid?: string;
  readonly Action?: string | readonly string[];
}

interface StatementsDocument {
  readonly Statement: Statement | readonly Statement[];
}

/**
 * Rights that are not there when it comes to it, though IAM shows them: what a right's removal does between a check and
 * the call. IAM and its simulator read the whole document; only authorisation leaves these out.
 */
export interface WithheldRights {
  list(): readonly WithheldRight[];
  set(rights: readonly WithheldRight[]): void;
  /** The policies as they are enforced; the same objects where nothing is left out. */
  enforced(roleArn: string | undefined, policies: readonly NamedPolicy[]): readonly NamedPolicy[];
}

export function openWithheldRights(): WithheldRights {
  let withheld: readonly WithheldRight[] = [];
  /** By role and document: the evaluator compiles once for each object. */
  let without = new Map<string, WeakMap<object, object>>();
  const enforcedDocument = (roleArn: string, document: object): object => {
    const known = without.get(roleArn) ?? new WeakMap<object, object>();
    without.set(roleArn, known);
    const own = withheld.filter((right) => right.roleArn === roleArn);
    const made = known.get(document) ?? leaveOut(document as StatementsDocument, own);
    known.set(document, made);
    return made;
  };
  return {
    list: () => withheld,
    set(rights) {
      withheld = rights.map(checked);
      without = new Map();
    },
    enforced(roleArn, policies) {
      if (roleArn === undefined || !withheld.some((right) => right.roleArn === roleArn)) return policies;
      return policies.map((named) => ({ ...named, policy: enforcedDocument(roleArn, named.policy) }));
    },
  };
}

function checked(right: WithheldRight): WithheldRight {
  if (typeof right.roleArn === "string" && typeof right.action === "string") return right;
  throw new AwsError("ValidationError", "a withheld right is {roleArn, action, statement?}");
}

function leaveOut(document: StatementsDocument, own: readonly WithheldRight[]): object {
  const statements = [document.Statement].flat() as readonly Statement[];
  const Statement = statements.flatMap((statement) => {
    const isOut = (action: string): boolean =>
      own.some(
        (right) =>
          right.action.toLowerCase() === action.toLowerCase() &&
          (right.statement === undefined || right.statement === statement.Sid),
      );
    if (statement.Action === undefined) return [statement];
    const left = [statement.Action].flat().filter((action) => !isOut(action));
    return left.length === 0 ? [] : [{ ...statement, Action: left }];
  });
  return { ...document, Statement };
}

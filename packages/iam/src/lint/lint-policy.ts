import { lintActions } from "./lint-actions.ts";
import { lintConditions } from "./lint-conditions.ts";
import { lintElements } from "./lint-elements.ts";
import type { LintFinding } from "./lint-finding.ts";
import { readPolicy } from "./lint-grammar.ts";
import { lintReach } from "./lint-reach.ts";
import { lintResources } from "./lint-resources.ts";
import { lintSize } from "./lint-size.ts";
import { lintVersion } from "./lint-version.ts";
import { openContext, openStatement } from "./linted-statement.ts";
import { guessKind, type LintKind } from "./policy-kinds.ts";
import type { ServiceReference } from "./service-reference.ts";

export interface LintOptions {
  readonly reference: ServiceReference;
  /** What the document is written for; else it is guessed from its elements. */
  readonly kind?: LintKind;
  /** The document as it is sent, for kinds whose white space counts. */
  readonly text?: string;
}

export interface LintReport {
  readonly kind: LintKind;
  /** In the order of the document: what is about the whole first, then statement by statement. */
  readonly findings: readonly LintFinding[];
}

/** Finds what AWS would refuse in an IAM policy, and what it would take but that can't do what it says. Never throws. */
export function lintPolicy(json: unknown, { reference, kind: given, text }: LintOptions): LintReport {
  const { findings, version, statements: read } = readPolicy(json);
  const kind = given ?? guessKind(read.map(({ document }) => document));
  const context = openContext(kind, reference);
  const statements = read.map(({ document, index }) => openStatement(document, index, reference));
  const ofStatements = statements.flatMap((statement) => [
    ...lintElements(statement, context),
    ...lintActions(statement, context),
    ...lintResources(statement),
    ...lintConditions(statement, context),
  ]);
  const all = [
    ...findings,
    ...lintSize(json, text, context),
    ...lintVersion(
      version,
      read.map(({ document }) => document),
    ),
    ...ofStatements,
    ...lintReach(statements),
  ];
  return { kind, findings: all.toSorted((left, right) => placeOf(left) - placeOf(right)) };
}

function placeOf({ where }: LintFinding): number {
  return Number(/^Statement\[(\d+)\]/.exec(where)?.[1] ?? -1);
}

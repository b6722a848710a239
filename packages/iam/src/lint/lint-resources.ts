import { doOverlap, patternCodes, templateCodes } from "./compare-patterns.ts";
import type { LintFinding } from "./lint-finding.ts";
import { findingAt, type LintedStatement, meantActions, shorten } from "./linted-statement.ts";
import type { PatternCodes } from "../wildcard-pattern.ts";
import type { ActionFacts, ResourceTypeFacts } from "./service-reference.ts";

/** No ARN is longer, so a longer pattern is not compared. */
const maxArnChars = 2_048;

interface ReadResource {
  readonly text: string;
  readonly isEvery: boolean;
  readonly codes: PatternCodes;
}

/** Resources that none of the actions takes, and actions that take none of the resources. */
export function lintResources(statement: LintedStatement): readonly LintFinding[] {
  const { document, resources: texts } = statement;
  const meant = meantActions(statement);
  if (meant === undefined || texts === undefined || document.Resource === undefined) return [];
  if (texts.some((text) => text.length > maxArnChars)) return [];
  const resources = texts.map((text) => ({
    text,
    isEvery: /^\*+$/.test(text),
    codes: patternCodes(completed(text)),
  }));
  const fits = openFits();
  return [
    ...resources.flatMap((resource) => lintOneResource(statement, resource, { meant, fits })),
    ...lintEachAction(statement, resources, fits),
  ];
}

/** A shortened ARN stands for one with stars in the missing fields. */
function completed(text: string): string {
  const missing = 6 - text.split(":", 6).length;
  return text.startsWith("arn:") ? `${text}${":*".repeat(missing)}` : text;
}

type Fits = (resource: ReadResource, type: ResourceTypeFacts) => boolean;

function openFits(): Fits {
  const templates = new Map<string, PatternCodes>();
  return ({ isEvery, codes }, { arn }) => {
    const template = templates.get(arn) ?? templateCodes(arn);
    templates.set(arn, template);
    return isEvery || doOverlap(codes, template);
  };
}

function lintOneResource(
  statement: LintedStatement,
  resource: ReadResource,
  { meant, fits }: { readonly meant: readonly ActionFacts[]; readonly fits: Fits },
): readonly LintFinding[] {
  if (resource.isEvery) return [];
  const types = new Map(meant.flatMap(({ resourceTypes }) => resourceTypes.map((type) => [type.arn, type])));
  if ([...types.values()].some((type) => fits(resource, type))) return [];
  const takes = [...types.values()].map(({ arn }) => arn);
  const hint = takes.length === 0 ? 'they take no resource but "*"' : `they take ${shorten(takes)}`;
  const message = `${resource.text} is nothing that the statement's actions take; ${hint}`;
  return [
    findingAt(statement, {
      code: "resource-fits-no-action",
      severity: "error",
      element: "Resource",
      message,
    }),
  ];
}

/** Only actions that are written out: a wildcard is meant to catch what fits. */
function lintEachAction(
  statement: LintedStatement,
  resources: readonly ReadResource[],
  fits: Fits,
): readonly LintFinding[] {
  if (statement.document.Effect !== "Allow" || resources.some(({ isEvery }) => isEvery)) return [];
  return statement.actions.flatMap(({ text, hasWildcard, meant }) => {
    const [action] = meant === "every" || hasWildcard ? [] : meant;
    if (action === undefined) return [];
    if (action.resourceTypes.length === 0) {
      const message = `${text} takes no resource, so that it is only allowed with Resource "*"`;
      return [
        findingAt(statement, { code: "action-needs-star", severity: "error", element: "Action", message }),
      ];
    }
    if (action.resourceTypes.some((type) => resources.some((resource) => fits(resource, type)))) return [];
    const takes = shorten(action.resourceTypes.map(({ arn }) => arn));
    const message = `${text} takes none of the statement's resources, so that it is not allowed; it takes ${takes}`;
    return [
      findingAt(statement, {
        code: "action-fits-no-resource",
        severity: "error",
        element: "Action",
        message,
      }),
    ];
  });
}

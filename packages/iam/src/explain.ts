import { describeActual, describeFailing } from "./describe-condition.ts";
import type { EvaluateOptions } from "./evaluate.ts";
import type { EvaluationCase, EvaluationResult, Layer } from "./evaluation-case.ts";
import {
  describeCaller,
  describeStatement,
  describeSilence,
  listWords,
  type StatementPlace,
} from "./layer-words.ts";
import { findNearestMiss, type NearMiss } from "./near-misses.ts";
import type { OneOrMany, StatementDocument } from "./policy-document.ts";
import type { PolicyPatch } from "./policy-patch.ts";
import { accountOf, suggestPatches } from "./suggest-patches.ts";
import { findStatementTrace, type StatementTrace } from "./trace-statements.ts";

/** Why a request was decided as it was, for a person who has to act on it. */
export interface Explanation {
  /** Who, what, on what, which layer and statement, and what failed; one sentence, carried everywhere as it is. */
  readonly sentence: string;
  readonly layer?: Layer;
  /** Where the statement stands that decides: its policy, the account or the organisation's level that holds it. */
  readonly statement?: StatementSource;
  readonly missingContext: readonly string[];
  /** The statement of the first patch; absent where the request has to change. */
  readonly fix?: StatementDocument;
  /** The smallest changes that together let the request pass. Empty where it passes, or no policy would help. */
  readonly patches: readonly PolicyPatch[];
  /** Whether the patches are all it needs; otherwise the request has to change as well (an external ID, say). */
  readonly isMendedByPatches: boolean;
}

export interface StatementSource {
  readonly policy: string;
  readonly sid?: string;
  /** From 0. */
  readonly index: number;
  /** For organisation policies: the root, organisational unit or account that it is attached to. */
  readonly orgIdentifier?: string;
  readonly accountId?: string;
}

/** Explains a result of `evaluate` for the same case and options. */
export function explain(
  given: EvaluationCase,
  result: EvaluationResult,
  options: EvaluateOptions = {},
): Explanation {
  const { missingContext } = result;
  const { action, resource } = given.request;
  const start = `${describeCaller(given)} ${verb(result)} ${action} on ${resource.resource}`;
  const reason = findReason(given, result);
  const { place } = reason;
  const { isEnough, patches } = suggestPatches(given, options);
  const [first] = patches;
  return {
    sentence: `${start}${reason.text}.`,
    ...(reason.layer === undefined ? {} : { layer: reason.layer }),
    ...(place === undefined ? {} : { statement: describePlace(given, place) }),
    missingContext,
    ...(first === undefined ? {} : { fix: first.statement }),
    patches,
    isMendedByPatches: patches.length > 0 && isEnough,
  };
}

interface Reason {
  readonly text: string;
  readonly layer?: Layer;
  readonly place?: StatementPlace;
}

const granting: ReadonlySet<Layer> = new Set(["identity", "resource", "kms-grant", "acl"]);

function verb({ decision }: EvaluationResult): string {
  return decision === "Allowed" ? "may" : decision === "Unknown" ? "may or may not" : "may not";
}

function findReason(given: EvaluationCase, result: EvaluationResult): Reason {
  if (result.decision === "ExplicitlyDenied") return explainDeny(given, result);
  if (result.decision === "Unknown") return explainUnknown(given, result);
  if (result.decision === "ImplicitlyDenied") return explainSilence(given, result);
  const allowing = result.matched.find(({ effect, layer }) => effect === "Allow" && granting.has(layer));
  if (allowing === undefined) return { text: "" };
  return {
    text: `: ${describeStatement(allowing, given)} allows it`,
    layer: allowing.layer,
    place: allowing,
  };
}

function describePlace(
  given: EvaluationCase,
  { policy, sid, index, orgIdentifier, layer }: StatementPlace,
): StatementSource {
  return {
    policy,
    ...(sid === undefined ? {} : { sid }),
    index,
    ...(orgIdentifier === undefined ? {} : { orgIdentifier }),
    ...accountOf(given, layer),
  };
}

function explainDeny(given: EvaluationCase, result: EvaluationResult): Reason {
  const place = result.matched.find(({ effect, unknown }) => effect === "Deny" && unknown === undefined);
  if (place === undefined) return { text: "" };
  const trace = findStatementTrace(given, place);
  const why =
    trace === undefined || trace.conditions.length === 0 ? "" : `, because ${describeHolding(trace)}`;
  return {
    text: `: ${describeStatement(place, given)} denies it${why}`,
    layer: place.layer,
    place,
  };
}

/** Which values made the conditions of a deny hold. */
function describeHolding({ conditions }: StatementTrace): string {
  return conditions
    .map(({ condition, actual }) => {
      const values = listWords(condition.values.map((value) => value.source));
      const has = describeActual(actual).replace(/^it is/, `${condition.keyText} is`);
      return `${has.replace("no such key", `no ${condition.keyText}`)} (${condition.operatorText} ${values})`;
    })
    .join(" and ");
}

function explainUnknown(given: EvaluationCase, result: EvaluationResult): Reason {
  const place = result.matched.find(
    ({ unknown, layer }) => unknown === true && result.blockedBy.includes(layer),
  );
  const hangs = place === undefined ? "" : `, which ${describeStatement(place, given)} tests`;
  const keys = result.missingContext.join(" and ") || "context that is not known";
  const [layer] = place === undefined ? result.blockedBy : [place.layer];
  return {
    text: `: it depends on ${keys}${hangs}`,
    ...(layer === undefined ? {} : { layer }),
    ...(place === undefined ? {} : { place }),
  };
}

function explainSilence(given: EvaluationCase, result: EvaluationResult): Reason {
  const [layer] = result.blockedBy;
  if (layer === undefined) return { text: "" };
  const silent = result.blockedBy.map((each) => describeSilence(each, given, result));
  const text = `: ${silent.join(", and ")}`;
  const miss = findNearestMiss(given, result, layer);
  if (miss === undefined) return { text, layer };
  const place = placeOf(miss.trace);
  return { text: `${text}; ${describeMiss(given, miss)}`, layer: miss.trace.layer, place };
}

function describeMiss(given: EvaluationCase, { trace, because }: NearMiss): string {
  const statement = describeStatement(placeOf(trace), given);
  const { document } = trace.statement;
  if (because === "conditions")
    return `${statement} would, but wants ${describeFailing(trace.failing, given.request.action)}`;
  if (because === "resource") {
    const isNot = document.Resource === undefined;
    const resources = listWords(listTexts(document.Resource ?? document.NotResource));
    return `${statement} does, but ${isNot ? "not on" : "only on"} ${resources}`;
  }
  return `${statement} does, but only for ${JSON.stringify(document.Principal ?? { Not: document.NotPrincipal })}`;
}

function listTexts(values: OneOrMany<string> | undefined): readonly string[] {
  return values === undefined ? [] : typeof values === "string" ? [values] : values;
}

function placeOf({ layer, policy, orgIdentifier, statement }: StatementTrace): StatementPlace {
  const sid = statement.document.Sid;
  return {
    layer,
    policy,
    index: statement.index,
    ...(orgIdentifier === undefined ? {} : { orgIdentifier }),
    ...(sid === undefined ? {} : { sid }),
  };
}

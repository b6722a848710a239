import { describeActual, describeFailing } from "./describe-condition.ts";
import type { EvaluationCase, EvaluationResult, Layer, MatchedStatement } from "./evaluation-case.ts";
import {
  describeCaller,
  describeStatement,
  describeSilence,
  listWords,
  type StatementPlace,
} from "./layer-words.ts";
import { findNearMisses, type NearMiss } from "./near-misses.ts";
import type { OneOrMany, StatementDocument } from "./policy-document.ts";
import { openRequest } from "./request-context.ts";
import { exceptCaller, suggestAllow, widenConditions } from "./suggest-fix.ts";
import { type StatementTrace, traceStatements } from "./trace-statements.ts";

/** Why a request was decided as it was, for a person who has to act on it. */
export interface Explanation {
  /** Who, what, on what, which layer and statement, and what failed; one sentence, carried everywhere as it is. */
  readonly sentence: string;
  readonly layer?: Layer;
  readonly statement?: { readonly policy: string; readonly sid?: string; readonly index: number };
  readonly missingContext: readonly string[];
  /** The smallest statement that mends it, for the policies of `layer`; absent where the request has to change. */
  readonly fix?: StatementDocument;
}

/** Explains a result of `evaluate` for the same case. */
export function explain(given: EvaluationCase, result: EvaluationResult): Explanation {
  const { missingContext } = result;
  const { action, resource } = given.request;
  const start = `${describeCaller(given)} ${verb(result)} ${action} on ${resource.resource}`;
  const reason = findReason(given, result);
  const { place } = reason;
  return {
    sentence: `${start}${reason.text}.`,
    ...(reason.layer === undefined ? {} : { layer: reason.layer }),
    ...(place === undefined ? {} : { statement: describePlace(place) }),
    missingContext,
    ...(reason.fix === undefined ? {} : { fix: reason.fix }),
  };
}

interface Reason {
  readonly text: string;
  readonly layer?: Layer;
  readonly place?: StatementPlace;
  readonly fix?: StatementDocument | undefined;
}

function verb({ decision }: EvaluationResult): string {
  return decision === "Allowed" ? "may" : decision === "Unknown" ? "may or may not" : "may not";
}

function findReason(given: EvaluationCase, result: EvaluationResult): Reason {
  if (result.decision === "ExplicitlyDenied") return explainDeny(given, result);
  if (result.decision === "Unknown") return explainUnknown(given, result);
  if (result.decision === "ImplicitlyDenied") return explainSilence(given, result);
  const allowing = result.matched.find(
    ({ effect, layer }) => effect === "Allow" && (layer === "identity" || layer === "resource"),
  );
  if (allowing === undefined) return { text: "" };
  return {
    text: `: ${describeStatement(allowing, given)} allows it`,
    layer: allowing.layer,
    place: allowing,
  };
}

function describePlace({ policy, sid, index }: StatementPlace): NonNullable<Explanation["statement"]> {
  return { policy, ...(sid === undefined ? {} : { sid }), index };
}

function explainDeny(given: EvaluationCase, result: EvaluationResult): Reason {
  const place = result.matched.find(({ effect, unknown }) => effect === "Deny" && unknown === undefined);
  if (place === undefined) return { text: "" };
  const trace = findTrace(given, place);
  const why =
    trace === undefined || trace.conditions.length === 0 ? "" : `, because ${describeHolding(trace)}`;
  return {
    text: `: ${describeStatement(place, given)} denies it${why}`,
    layer: place.layer,
    place,
    fix: trace === undefined ? undefined : exceptCaller(given, trace),
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
  const miss = nearestMiss(given, result, layer);
  if (miss === undefined) return { text, layer, fix: suggestAllow(given, layer) };
  const place = placeOf(miss.trace);
  const fix = miss.because === "conditions" ? widenConditions(miss.trace) : suggestAllow(given, layer);
  return { text: `${text}; ${describeMiss(given, miss)}`, layer: miss.trace.layer, place, fix };
}

/**
 * Only organisation levels that don't allow are looked at; within the account a grant by the resource's policy would do as
 * well, so that a near miss there counts where the identity's own policies have none.
 */
function nearestMiss(given: EvaluationCase, result: EvaluationResult, layer: Layer): NearMiss | undefined {
  const request = openRequest(given);
  const closed = result.layers.find((each) => each.layer === layer)?.closedLevels;
  const own = findNearMisses(given, layer, request).find(
    ({ trace }) => closed === undefined || closed.includes(trace.orgIdentifier ?? ""),
  );
  const isSameAccount = request.principal.accountId === request.resourceAccountId;
  if (own !== undefined || layer !== "identity" || !isSameAccount) return own;
  return findNearMisses(given, "resource", request)[0];
}

function describeMiss(given: EvaluationCase, { trace, because }: NearMiss): string {
  const statement = describeStatement(placeOf(trace), given);
  const { document } = trace.statement;
  if (because === "conditions") return `${statement} would, but wants ${describeFailing(trace.failing)}`;
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

function findTrace(given: EvaluationCase, place: MatchedStatement): StatementTrace | undefined {
  return traceStatements(given, place.layer, openRequest(given)).find(
    ({ policy, orgIdentifier, statement }) =>
      policy === place.policy && orgIdentifier === place.orgIdentifier && statement.index === place.index,
  );
}

import type { EvaluationCase } from "./evaluation-case.ts";
import { derivedKeys } from "./request-context.ts";

/**
 * The case with nothing filled in: a key that is not in its `context` is absent, also those that `evaluate` would derive
 * from the request. The policies stay the same objects.
 */
export function contextAsGiven(given: EvaluationCase): EvaluationCase {
  const { context = {} } = given.request;
  const present = new Set(Object.keys(context).map((key) => key.toLowerCase()));
  const left = derivedKeys.filter((key) => !present.has(key.toLowerCase()));
  if (left.length === 0) return given;
  const absent = Object.fromEntries(left.map((key) => [key, []]));
  return { ...given, request: { ...given.request, context: { ...context, ...absent } } };
}

import type { CallerPrincipal } from "../../identity/caller-principal.ts";
import { validationError } from "./validation.ts";

export interface SessionTags {
  /** What this call asked for. */
  readonly requested: Readonly<Record<string, string>>;
  /** With those that an earlier session in the chain passes on. */
  readonly session: Readonly<Record<string, string>>;
  readonly transitiveKeys: readonly string[];
  /** Condition keys of the call. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

interface TagInput {
  readonly Tags?:
    | readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[]
    | undefined;
  readonly TransitiveTagKeys?: readonly string[] | undefined;
}

const maxTags = 50;

/** Reads the session tags of AssumeRole. Transitive tags of the caller's session stay, and can't be replaced. */
export function readSessionTags(input: TagInput, caller: CallerPrincipal): SessionTags {
  const given = input.Tags ?? [];
  if (given.length > maxTags)
    throw validationError(`The number of session tags (${given.length}) exceeds ${maxTags}.`);
  const requested: Record<string, string> = {};
  for (const { Key = "", Value = "" } of given) {
    if (Key.length < 1 || Key.length > 128 || Value.length > 256)
      throw validationError("A session tag key has 1 to 128 characters, its value at most 256.");
    if (Key.toLowerCase().startsWith("aws:")) throw validationError("aws: prefixed tag keys are reserved.");
    requested[Key] = Value;
  }
  const inheritedKeys = caller.session?.transitiveTagKeys ?? [];
  const inherited = Object.fromEntries(inheritedKeys.map((key) => [key, caller.session?.tags?.[key] ?? ""]));
  const clash = inheritedKeys.find((key) => key in requested);
  if (clash !== undefined)
    throw validationError(
      `One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session (${clash}).`,
    );
  const keys = Object.keys(requested);
  const context: Record<string, string | readonly string[]> =
    keys.length === 0 ? {} : { "aws:TagKeys": keys };
  for (const [key, value] of Object.entries(requested)) context[`aws:RequestTag/${key}`] = value;
  const transitive = input.TransitiveTagKeys ?? [];
  if (transitive.length > 0) context["sts:TransitiveTagKeys"] = transitive;
  return {
    requested,
    session: { ...requested, ...inherited },
    transitiveKeys: [...new Set([...inheritedKeys, ...transitive])],
    context,
  };
}

import { checkText, validationError } from "../sts/validation.ts";
import { limitExceeded } from "./iam-errors.ts";

export interface TagInput {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

export type TagMap = Readonly<Record<string, string>>;

const maxTags = 50;

export function readTags(tags: readonly TagInput[] | undefined): TagMap {
  const output: Record<string, string> = {};
  for (const { Key, Value } of tags ?? []) {
    checkText("tags.member.key", Key, { min: 1, max: 128, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u });
    checkText("tags.member.value", Value, { min: 0, max: 256, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u });
    if (Key!.toLowerCase().startsWith("aws:")) throw validationError("aws: prefixed tag names are reserved.");
    if (Key! in output) throw validationError("Duplicate tag keys found.");
    output[Key!] = Value ?? "";
  }
  return output;
}

export function addTags(present: TagMap, tags: readonly TagInput[] | undefined): TagMap {
  const merged = { ...present, ...readTags(tags) };
  if (Object.keys(merged).length > maxTags)
    throw limitExceeded(`Cannot exceed quota for TagsPerResource: ${maxTags}`);
  return merged;
}

export function withoutTags(present: TagMap, keys: readonly string[] | undefined): TagMap {
  return Object.fromEntries(Object.entries(present).filter(([key]) => !keys?.includes(key)));
}

export function tagList(tags: TagMap): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** aws:RequestTag/* and aws:TagKeys of a call that sets tags. */
export function tagContext(tags: TagMap): Record<string, string | readonly string[]> {
  const keys = Object.keys(tags);
  if (keys.length === 0) return {};
  const context: Record<string, string | readonly string[]> = { "aws:TagKeys": keys };
  for (const [key, value] of Object.entries(tags)) context[`aws:RequestTag/${key}`] = value;
  return context;
}

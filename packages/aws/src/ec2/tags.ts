import type { Tag } from "@aws-sdk/client-ec2";

export type Tags = Readonly<Record<string, string>>;

export function toTagList(tags: Tags): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

export function fromTagList(list: readonly Tag[] | undefined): Tags {
  return Object.fromEntries((list ?? []).map((tag) => [tag.Key ?? "", tag.Value ?? ""]));
}

/** The owner's own tags: what AWS or Garrison set is never copied to something new. */
export function ownTags(tags: Tags): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !/^(garrison|aws):/.test(key)));
}

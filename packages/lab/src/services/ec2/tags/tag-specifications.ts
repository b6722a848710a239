import type { ResourceType, Tag, TagSpecification } from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Authorization, Call, ResourceAccess } from "../../../wire/operation-handler.ts";
import { invalidParameter } from "../shared/ec2-errors.ts";

export type Tags = Readonly<Record<string, string>>;

const tagsPerResource = 50;

/** Tags of one resource type in a creating call. Types that the call doesn't make are an error. */
export function tagsFor(
  specifications: readonly TagSpecification[] | undefined,
  type: ResourceType,
  allowed: readonly ResourceType[] = [type],
): Tags {
  for (const { ResourceType: given } of specifications ?? []) {
    if (given === undefined)
      throw new AwsError("MissingParameter", "Tag specification resource type must have a value");
    if (!allowed.includes(given)) {
      throw invalidParameter(`'${given}' is not a valid taggable resource type for this operation.`);
    }
  }
  return readTags(
    (specifications ?? []).filter((one) => one.ResourceType === type).flatMap((one) => one.Tags ?? []),
  );
}

/** Checks keys and values as CreateTags does. */
export function readTags(tags: readonly Tag[]): Tags {
  const result: Record<string, string> = {};
  for (const { Key: key = "", Value: value = "" } of tags) {
    if (key === "" || key.length > 127)
      throw invalidParameter("Tag key must be between 1 and 127 characters");
    if (value.length > 255)
      throw invalidParameter(`Tag value exceeds the maximum length of 255 characters: '${key}'`);
    if (key.toLowerCase().startsWith("aws:")) {
      throw invalidParameter("Tag keys starting with 'aws:' are reserved for internal use");
    }
    if (key in result) throw invalidParameter(`Duplicate tag key '${key}' specified.`);
    result[key] = value;
  }
  checkTagCount(result);
  return result;
}

export function checkTagCount(tags: Tags): void {
  const own = Object.keys(tags).filter((key) => !key.startsWith("aws:"));
  if (own.length > tagsPerResource) {
    throw new AwsError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.");
  }
}

export function formatTags(tags: Tags): Tag[] | undefined {
  const entries = Object.entries(tags);
  return entries.length === 0 ? undefined : entries.map(([Key, Value]) => ({ Key, Value }));
}

/** `aws:RequestTag/*` and `aws:TagKeys` of a call that sends these tags. */
export function requestTagContext(tags: Tags): Record<string, string | readonly string[]> {
  const keys = Object.keys(tags);
  if (keys.length === 0) return {};
  return {
    ...Object.fromEntries(keys.map((key) => [`aws:RequestTag/${key}`, tags[key]!])),
    "aws:TagKeys": keys,
  };
}

/** The extra right that tagging at creation needs: ec2:CreateTags on what is made, with ec2:CreateAction. */
export function tagOnCreate(
  call: Call,
  action: string,
  created: { readonly resource: ResourceAccess; readonly tags: Tags },
): Authorization[] {
  if (Object.keys(created.tags).length === 0) return [];
  return [
    {
      action: "ec2:CreateTags",
      resources: [created.resource],
      context: {
        "ec2:CreateAction": action,
        "ec2:Region": call.region,
        ...requestTagContext(created.tags),
      },
    },
  ];
}

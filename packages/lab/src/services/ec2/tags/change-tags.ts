import type {
  CreateTagsCommandInput,
  DeleteTagsCommandInput,
  DescribeTagsCommandInput,
} from "@aws-sdk/client-ec2";
import type { Call } from "../../../wire/operation-handler.ts";
import { missingParameter } from "../shared/ec2-errors.ts";
import { filterRecords } from "../shared/filter-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permit, permitAny } from "../shared/permit.ts";
import { checkTagCount, readTags, requestTagContext } from "./tag-specifications.ts";
import { findTagged, listTags, type TaggedResource, type TagLine } from "./tagged-resources.ts";

/** All resources or none: one that is missing or refused leaves the others as they were. */
export function createTags(input: CreateTagsCommandInput, call: Call): object {
  const resources = chosenResources(input.Resources, call);
  const tags = readTags(input.Tags ?? []);
  if (Object.keys(tags).length === 0) throw missingParameter("tagSet");
  permit(call, input.DryRun, [
    {
      action: "ec2:CreateTags",
      resources: resources.map((one) => one.access),
      context: requestTagContext(tags),
    },
  ]);
  const merged = resources.map((one) => ({ ...one.tags, ...tags }));
  for (const after of merged) checkTagCount(after);
  for (const [index, one] of resources.entries()) one.retag(merged[index]!);
  return {};
}

/** Without tags all of a resource's are removed; a tag with a value only where the value is the same. */
export function deleteTags(input: DeleteTagsCommandInput, call: Call): object {
  const resources = chosenResources(input.Resources, call);
  const keys = input.Tags?.map((tag) => tag.Key ?? "") ?? [];
  permit(call, input.DryRun, [
    {
      action: "ec2:DeleteTags",
      resources: resources.map((one) => one.access),
      context: keys.length === 0 ? {} : { "aws:TagKeys": keys },
    },
  ]);
  for (const one of resources) {
    const kept = Object.entries(one.tags).filter(([key, value]) => {
      if (key.startsWith("aws:")) return true;
      if (input.Tags === undefined || input.Tags.length === 0) return false;
      return !input.Tags.some((tag) => tag.Key === key && (tag.Value === undefined || tag.Value === value));
    });
    one.retag(Object.fromEntries(kept));
  }
  return {};
}

export function describeTags(input: DescribeTagsCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeTags");
  const filtered = filterRecords(listTags(call), input.Filters?.map(renameFilter), {
    "resource-id": (line: TagLine) => line.id,
    "resource-type": (line: TagLine) => line.type,
    key: (line: TagLine) => line.key,
    value: (line: TagLine) => line.value,
  });
  const page = pageRecords(filtered, input, (line) => `${line.id}/${line.key}`);
  return {
    Tags: page.items.map((line) => ({
      ResourceId: line.id,
      ResourceType: line.type,
      Key: line.key,
      Value: line.value,
    })),
    NextToken: page.NextToken,
  };
}

/** Here, unlike in other calls, `tag:<key>` means a line with that key and one of the values. */
function renameFilter<FilterLike extends { readonly Name?: string | undefined }>(
  filter: FilterLike,
): FilterLike {
  if (filter.Name === "tag-key") return { ...filter, Name: "key" };
  if (filter.Name === "tag-value") return { ...filter, Name: "value" };
  return filter;
}

function chosenResources(ids: readonly string[] | undefined, call: Call): TaggedResource[] {
  if (ids === undefined || ids.length === 0) throw missingParameter("resourceIdSet");
  return ids.map((id) => findTagged(call, id));
}

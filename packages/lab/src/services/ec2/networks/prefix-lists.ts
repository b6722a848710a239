import type { DescribePrefixListsCommandInput } from "@aws-sdk/client-ec2";
import type { Call } from "../../../wire/operation-handler.ts";
import { notFound } from "../shared/ec2-errors.ts";
import { filterRecords } from "../shared/filter-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permitAny } from "../shared/permit.ts";
import { prefixListsOf, type PrefixList } from "./endpoint-services.ts";

export function describePrefixLists(input: DescribePrefixListsCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribePrefixLists");
  const all = prefixListsOf(call.region).map((list) => ({ ...list, tags: {} }));
  const unknown = input.PrefixListIds?.find((id) => !all.some(({ prefixListId }) => prefixListId === id));
  if (unknown !== undefined) throw notFound("InvalidPrefixListId.NotFound", "prefix list ID", unknown);
  const named = input.PrefixListIds?.length
    ? all.filter(({ prefixListId }) => input.PrefixListIds!.includes(prefixListId))
    : all;
  const found = filterRecords(named, input.Filters, {
    "prefix-list-id": (list: PrefixList) => list.prefixListId,
    "prefix-list-name": (list: PrefixList) => list.prefixListName,
  });
  const page = pageRecords(found, input, (list) => list.prefixListId);
  return {
    PrefixLists: page.items.map((list) => ({
      PrefixListId: list.prefixListId,
      PrefixListName: list.prefixListName,
      Cidrs: [...list.cidrs],
    })),
    NextToken: page.NextToken,
  };
}

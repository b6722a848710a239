import { AwsError } from "../../wire/aws-error.ts";

interface PageInput {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

/** One page of a list, with the token for the next. Tokens name a position. */
export function pageOf<Item>(
  all: readonly Item[],
  input: PageInput,
): { readonly items: readonly Item[]; readonly NextToken: string | undefined } {
  const from = input.NextToken ? Number(Buffer.from(input.NextToken, "base64").toString()) : 0;
  if (!Number.isInteger(from) || from < 0)
    throw new AwsError("InvalidNextToken", "The specified token is not valid.");
  const to = from + (input.MaxResults ?? 50);
  return {
    items: all.slice(from, to),
    NextToken: to < all.length ? Buffer.from(String(to)).toString("base64") : undefined,
  };
}

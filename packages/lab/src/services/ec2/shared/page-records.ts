import { AwsError } from "../../../wire/aws-error.ts";
import { invalidParameter } from "./ec2-errors.ts";

export interface PageInput {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

export interface Page<Value> {
  readonly items: Value[];
  readonly NextToken?: string;
}

const tokenPrefix = "garrison-lab-ec2:";

/** Cuts the page that was asked for; the token names the last item shown, so that deletions in between lose nothing. */
export function pageRecords<Value>(
  records: readonly Value[],
  input: PageInput,
  keyOf: (record: Value) => string,
): Page<Value> {
  const { MaxResults: limit } = input;
  if (limit !== undefined && (limit < 5 || limit > 1000)) {
    throw invalidParameter(
      `Value ( ${limit} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.`,
    );
  }
  const sorted = [...records].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const after = input.NextToken === undefined ? undefined : decodeToken(input.NextToken);
  const rest = after === undefined ? sorted : sorted.filter((record) => keyOf(record) > after);
  const items = rest.slice(0, limit ?? 1000);
  const last = items.at(-1);
  if (last === undefined || items.length === rest.length) return { items };
  return { items, NextToken: Buffer.from(tokenPrefix + keyOf(last)).toString("base64") };
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, "base64").toString();
  if (!text.startsWith(tokenPrefix)) throw new AwsError("InvalidNextToken", "The token is not valid.");
  return text.slice(tokenPrefix.length);
}

import type { Filter } from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import { invalidParameter } from "./ec2-errors.ts";

/** Filter name -> the values of a record that it looks at; absent ones don't match anything. */
export type FilterTable<Value> = Readonly<
  Record<string, (record: Value) => string | readonly string[] | undefined>
>;

interface Tagged {
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * The records that pass all filters; a filter passes when one of its values does, `*` and `?` being wildcards. Tag
 * filters work for everything; a name that isn't in the table is an error, as on AWS.
 */
export function filterRecords<Value extends Tagged>(
  records: Iterable<Value>,
  filters: readonly Filter[] | undefined,
  table: FilterTable<Value>,
): Value[] {
  const tests = (filters ?? []).map((filter) => compileFilter(filter, table));
  return [...records].filter((record) => tests.every((test) => test(record)));
}

function compileFilter<Value extends Tagged>(
  filter: Filter,
  table: FilterTable<Value>,
): (record: Value) => boolean {
  const name = filter.Name ?? "";
  const read = tagReader(name) ?? table[name];
  if (read === undefined) throw invalidParameter(`The filter '${name}' is invalid`);
  if (filter.Values === undefined || filter.Values.length === 0) {
    throw new AwsError("InvalidParameterValue", `The filter '${name}' has no values`);
  }
  const patterns = filter.Values.map(compilePattern);
  return (record) => {
    const found = read(record) ?? [];
    return (typeof found === "string" ? [found] : found).some((value) =>
      patterns.some((pattern) => pattern.test(value)),
    );
  };
}

function tagReader(name: string): ((record: Tagged) => string | readonly string[] | undefined) | undefined {
  if (name.startsWith("tag:")) return (record) => record.tags[name.slice("tag:".length)];
  if (name === "tag-key") return (record) => Object.keys(record.tags);
  if (name === "tag-value") return (record) => Object.values(record.tags);
  return undefined;
}

/** `*` any run, `?` any one character, a backslash takes the next one literally. */
function compilePattern(value: string): RegExp {
  const source = value.replaceAll(/\\?[^]/g, (part) => {
    if (part === "*") return "[^]*";
    if (part === "?") return "[^]";
    return part.at(-1)!.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${source}$`);
}

import type { CliContext } from "../cli-context.ts";

/** `--json`: one object; otherwise text for people. */
export function printResult(
  context: CliContext,
  result: { readonly json: true | undefined; readonly value: unknown; readonly text: () => string },
): void {
  context.stdout.write(result.json === true ? `${JSON.stringify(result.value)}\n` : result.text());
}

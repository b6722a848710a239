import { applianceCodes } from "../packages/core/src/error-codes/appliance-codes.ts";
import { awsCodes } from "../packages/core/src/error-codes/aws-codes.ts";
import { channelCodes } from "../packages/core/src/error-codes/channel-codes.ts";
import { cliCodes } from "../packages/core/src/error-codes/cli-codes.ts";
import { coreCodes } from "../packages/core/src/error-codes/core-codes.ts";
import type { ErrorCode } from "../packages/core/src/error-codes/error-code.ts";
import { iamCodes } from "../packages/core/src/error-codes/iam-codes.ts";
import { labCodes } from "../packages/core/src/error-codes/lab-codes.ts";
import { repositoryCodes } from "../packages/core/src/error-codes/repository-codes.ts";
import { rolesCodes } from "../packages/core/src/error-codes/roles-codes.ts";
import { workerCodes } from "../packages/core/src/error-codes/worker-codes.ts";

type CodeTable = Readonly<Record<string, ErrorCode>>;

const areas: readonly (readonly [title: string, codes: CodeTable])[] = [
  ["Everywhere", coreCodes],
  ["IAM policies", iamCodes],
  ["Repository", repositoryCodes],
  ["Channel", channelCodes],
  ["AWS", awsCodes],
  ["Roles", rolesCodes],
  ["Worker", workerCodes],
  ["Appliance", applianceCodes],
  ["Command line", cliCodes],
  ["Lab", labCodes],
];

const intro = `# Errors

Generated from the table (\`packages/core/src/error-table.ts\`) by \`node tools/write-errors-page.ts\`; a test fails when it is stale.

Every error that Garrison answers has one of these codes: in the JSON of a command with \`--json\`, in the body of an API answer, in the
report of a run. _Repeat_ says whether the same call, later, may succeed without anybody changing anything; Garrison itself then repeats it.
The exit code is 1 when it failed, 2 when the input is wrong, 3 when it is not known.`;

/** docs/errors.md: the whole table for somebody who looks up a code, by the area it comes from. */
export function errorsPage(): string {
  return `${[intro, ...areas.map(([title, codes]) => section(title, codes))].join("\n\n")}\n`;
}

function section(title: string, codes: CodeTable): string {
  const head = [
    `## ${title}`,
    "",
    "| code | what it means | what to do | repeat | HTTP | exit |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  return [...head, ...Object.entries(codes).map(row)].join("\n");
}

function row([code, { title, help, retryable, httpStatus, exitCode }]: readonly [string, ErrorCode]): string {
  const cells = [`\`${code}\``, title, help, retryable ? "yes" : "no", String(httpStatus), String(exitCode)];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

import { parseArgs } from "node:util";
import { formatCounts, formatFailure, formatMistake } from "./format-report.ts";
import type { Mistake } from "./mistakes/mistake.ts";
import { plantedMistakes } from "./mistakes/planted-mistakes.ts";
import { openProps } from "./open-props.ts";
import { runHistories } from "./run-histories.ts";
import { runHistory } from "./run-history.ts";
import { formatTraceLine } from "./world/trace.ts";

/** `npm run simulate`: the engine in seeded histories on a virtual bucket and clock; docs/testing.md says what it checks. */
const usage = `npm run simulate -- [options]
  --histories N   so many histories, of seeds 1 to N (default 2000)
  --from N        the first seed (default 1)
  --seed N        only this one
  --trace         with --seed: every step of it
  --mistake NAME  with a planted mistake; "all": how many histories each of them needs
`;

interface Options {
  readonly histories: number;
  readonly from: number;
  readonly seed?: number;
  readonly isTraced: boolean;
  readonly mistakes: readonly Mistake[];
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      histories: { type: "string", default: "2000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      mistake: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const [histories, from, seed] = [values.histories, values.from, values.seed].map(Number);
  const areNumbers = [values.histories, values.from, values.seed ?? "1"].every((text) => /^\d+$/.test(text));
  const mistakes = plantedMistakes.filter(({ name }) => values.mistake === name || values.mistake === "all");
  const isUnknown = values.mistake !== undefined && mistakes.length === 0;
  if (values.help || !areNumbers || isUnknown) return undefined;
  const only = values.seed === undefined ? {} : { seed: seed! };
  return { histories: histories!, from: from!, ...only, isTraced: values.trace, mistakes };
}

const print = (text: string) => process.stdout.write(`${text}\n`);

async function simulateOne(options: Options, seed: number): Promise<boolean> {
  const [mistake] = options.mistakes;
  const report = await runHistory(await openProps(), { seed, ...(mistake === undefined ? {} : { mistake }) });
  if (options.isTraced) print(report.trace.map(formatTraceLine).join("\n"));
  const broken = report.violation === undefined ? [] : [report];
  print(formatCounts({ histories: 1, counts: report.counts, broken }));
  if (report.violation !== undefined) print(formatFailure(report, options.isTraced ? 0 : 60));
  return report.violation === undefined;
}

async function simulateMany(options: Options): Promise<boolean> {
  const { histories, from: firstSeed } = options;
  let done = 0;
  const onHistory = () => {
    if (++done % 100 === 0) process.stderr.write(`${done} histories\n`);
  };
  const report = await runHistories(await openProps(), { firstSeed, histories, onHistory });
  const [broken] = report.broken;
  if (broken !== undefined) print(formatFailure(broken, 60));
  print(formatCounts(report));
  print(broken === undefined ? "no promise was broken" : "A PROMISE WAS BROKEN, see above");
  return broken === undefined;
}

async function plantMistakes(options: Options): Promise<boolean> {
  const { histories, from: firstSeed, mistakes } = options;
  const props = await openProps();
  let areFound = true;
  for (const mistake of mistakes) {
    const report = await runHistories(props, { firstSeed, histories, mistake });
    print(formatMistake(mistake, report));
    areFound &&= report.broken.length > 0;
  }
  return areFound;
}

const options = readOptions();
if (options === undefined) {
  const names = plantedMistakes.map(({ name, what }) => `  ${name}: ${what}`).join("\n");
  process.stderr.write(`${usage}planted mistakes:\n${names}\n`);
  process.exitCode = 2;
} else {
  const simulate = () => {
    if (options.seed !== undefined) return simulateOne(options, options.seed);
    return options.mistakes.length > 0 ? plantMistakes(options) : simulateMany(options);
  };
  process.exitCode = (await simulate()) ? 0 : 1;
}

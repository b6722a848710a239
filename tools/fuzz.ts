import { getHeapStatistics } from "node:v8";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { fuzzDecoder, type FuzzReport } from "../packages/core/src/fuzz/fuzz-decoder.ts";
import { listIamDecoders } from "../packages/iam/src/fuzz/iam-decoders.ts";
import { listFuzzedDecoders } from "../packages/repository/src/fuzz/fuzzed-decoders.ts";

/** `npm run fuzz -- --inputs 1000000 [--decoder NAME] [--seed N]`: feeds every decoder of the repository, and IAM's, with nonsense. */
const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    decoder: { type: "string" },
    seed: { type: "string", default: "1" },
  },
});
const meters = {
  now: () => performance.now(),
  usedBytes: () => {
    const { external_memory: buffers, used_heap_size: heap } = getHeapStatistics();
    return buffers + heap;
  },
};
// Nobody reads where a million errors were thrown.
Error.stackTraceLimit = 0;
const plan = { inputs: Number(values.inputs), seed: values.seed };
const call = { signal: new AbortController().signal };
const isIams = values.decoder?.startsWith("iam.") === true;
const decoders = [...(await listIamDecoders(call)), ...(isIams ? [] : await listFuzzedDecoders("fuzz"))];
const wanted = decoders.filter(({ name }) => values.decoder === undefined || name === values.decoder);
if (wanted.length === 0 || !Number.isSafeInteger(plan.inputs) || plan.inputs < 1) {
  console.error(`--inputs is a number, --decoder one of: ${decoders.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

function print(report: FuzzReport, seconds: number): void {
  const { decoder, inputs, accepted, errors, slowestMs, largestBytes } = report;
  const counts = Object.entries(errors).map(([code, count]) => `${code} ${count}`);
  const limits = `slowest ${slowestMs.toFixed(1)} ms, largest ${(largestBytes / 2 ** 20).toFixed(1)} MiB`;
  console.log(
    `${decoder}: ${inputs} inputs in ${seconds.toFixed(0)} s: ${["accepted " + accepted, ...counts].join(", ")}; ${limits}`,
  );
  for (const { input, reason, bytes } of report.failures) {
    console.log(
      `  FAILED input ${input} of seed ${plan.seed}: ${reason}\n    ${Buffer.from(bytes).toString("hex").slice(0, 2000)}`,
    );
  }
}

for (const decoder of wanted) {
  const startMs = performance.now();
  const report = fuzzDecoder(meters, decoder, plan);
  print(report, (performance.now() - startMs) / 1000);
  if (report.failures.length > 0) process.exitCode = 1;
}

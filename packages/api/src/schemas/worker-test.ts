import { z } from "zod";

/** What a worker test looks at, in the order in which a worker meets it. */
export const workerCheckNames = [
  "role chain",
  "launch permitted",
  "queues made",
  "instance launched",
  "Systems Manager",
  "program started",
  "queue round trip",
  "S3 put and get",
  "EBS list",
] as const;

export const workerCheckSchema = z.object({
  check: z.enum(workerCheckNames),
  verdict: z.enum(["passed", "failed", "unknown"]),
  sentence: z.string(),
});
export type WorkerCheck = z.infer<typeof workerCheckSchema>;

/** The result of a worker test that passed, and the details of the failure of one that did not. */
export const workerTestReportSchema = z.object({ checks: z.array(workerCheckSchema) });
export type WorkerTestReport = z.infer<typeof workerTestReportSchema>;

import { z } from "zod";
import {
  accountIdSchema,
  arnSchema,
  pageQuerySchema,
  placementSchema,
  regionSchema,
  timeSchema,
} from "./shared.ts";

export const newBackupSchema = z.object({
  kind: z.literal("backup"),
  resource: arnSchema,
  repositoryId: z.string().optional().describe("default: the only repository there is"),
  placement: placementSchema.default("production"),
});

export const newRestoreSchema = z.object({
  kind: z.literal("instance-restore"),
  point: z.string().regex(/^[0-9a-f]{16}$/, "16 hex digits, the id of a restore point"),
  placement: placementSchema.default("production"),
  accountId: accountIdSchema.optional().describe("default: where the original was"),
  name: z.string().max(128).optional().describe("the Name tag of the restored instance"),
  instanceType: z.string().optional(),
  subnetId: z.string().optional(),
  securityGroupIds: z.array(z.string()).optional(),
  keyName: z.string().optional(),
  instanceProfile: z
    .string()
    .regex(
      /^(?:arn:[\w-]+:iam::\d{12}:instance-profile\/(?:[\x21-\x7e]+\/)?)?[\w+=,.@-]{1,128}$/,
      "the name or ARN of an instance profile; EC2 takes a role only by a profile that holds it",
    )
    .optional()
    .describe("name or ARN of an instance profile; default none: it has to be asked for"),
});

export const newWorkerTestSchema = z.object({
  kind: z.literal("worker-test"),
  accountId: accountIdSchema,
  region: regionSchema,
  subnetId: z.string().optional().describe("default: the account's configured one, else AWS's choice"),
  repositoryId: z.string().optional().describe("default: the only repository there is"),
});
export type NewWorkerTest = z.infer<typeof newWorkerTestSchema>;

export const newRunSchema = z.discriminatedUnion("kind", [
  newBackupSchema,
  newRestoreSchema,
  newWorkerTestSchema,
]);
export type NewRun = z.infer<typeof newRunSchema>;
/** As a client sends it: what has a default may be absent. */
export type NewRunRequest = z.input<typeof newRunSchema>;
export type NewBackup = z.infer<typeof newBackupSchema>;
export type NewRestore = z.infer<typeof newRestoreSchema>;

export const runStatusSchema = z.enum(["queued", "running", "undoing", "succeeded", "failed", "cancelled"]);
export type RunStatus = z.infer<typeof runStatusSchema>;

/** A run in one of these goes on no more. */
export const endedStatuses = ["succeeded", "failed", "cancelled"] as const satisfies readonly z.infer<
  typeof runStatusSchema
>[];

export function hasEnded({ status }: { readonly status: z.infer<typeof runStatusSchema> }): boolean {
  return endedStatuses.some((ended) => ended === status);
}

export const runStepSchema = z.object({
  number: z.number().int(),
  name: z.string(),
  status: z.enum(["running", "done", "failed"]),
  attempts: z.number().int().describe("more than one: the appliance was restarted in it"),
  startedAt: timeSchema,
  endedAt: timeSchema.optional(),
  log: z.array(z.object({ at: timeSchema, message: z.string(), resource: z.string().optional() })),
});
export type RunStep = z.infer<typeof runStepSchema>;

export const runProgressSchema = z.object({
  volumes: z.array(
    z.object({
      volumeId: z.string(),
      blocksDone: z.number().int(),
      blocksTotal: z.number().int().optional(),
      bytesRead: z.number().int(),
      bytesStored: z.number().int(),
    }),
  ),
});

export const runSchema = z.object({
  id: z.string(),
  kind: z.enum(["backup", "instance-restore", "worker-test"]),
  status: runStatusSchema,
  accountId: accountIdSchema,
  resource: z.string().describe("ARN of the protected resource; of the worker role in a worker test"),
  request: z.record(z.string(), z.unknown()),
  point: z.string().optional(),
  createdAt: timeSchema,
  startedAt: timeSchema.optional(),
  endedAt: timeSchema.optional(),
  isCancelRequested: z.boolean(),
  progress: runProgressSchema.optional(),
  result: z.record(z.string(), z.unknown()).optional(),
  failure: z
    .object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()).optional() })
    .optional(),
});
export type Run = z.infer<typeof runSchema>;

export const runWithStepsSchema = runSchema.extend({ steps: z.array(runStepSchema) });
export type RunWithSteps = z.infer<typeof runWithStepsSchema>;

export const runQuerySchema = pageQuerySchema.extend({
  status: runStatusSchema.optional(),
  resource: z.string().optional(),
});

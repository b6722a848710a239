import { z } from "zod";
import { accountIdSchema, placementSchema, timeSchema } from "./shared.ts";

export const workerSchema = z.object({
  id: z.string(),
  runId: z.string(),
  accountId: accountIdSchema,
  region: z.string(),
  placement: placementSchema,
  status: z.enum(["preparing", "ready", "lost", "removed"]),
  instanceId: z.string().optional(),
  createdAt: timeSchema,
  lastHeardAt: timeSchema.optional(),
  endedAt: timeSchema.optional(),
});
export type WorkerBody = z.infer<typeof workerSchema>;

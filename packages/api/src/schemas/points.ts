import { z } from "zod";
import { accountIdSchema, pageQuerySchema, timeSchema } from "./shared.ts";

export const pointVolumeSchema = z.object({
  volumeId: z.string(),
  deviceName: z.string(),
  sizeBytes: z.number().int(),
  coverage: z.enum(["full", "changes"]),
  blocksRead: z.number().int(),
  bytesRead: z.number().int(),
  blocksStored: z.number().int(),
  bytesStored: z.number().int(),
  blocksReused: z.number().int(),
  snapshotId: z.string().optional().describe("kept as the base of the next backup"),
});

export const pointSchema = z.object({
  id: z.string().describe("the session id in the repository"),
  repositoryId: z.string(),
  accountId: accountIdSchema,
  resource: z.string(),
  name: z.string(),
  runId: z.string(),
  parent: z.string().optional(),
  createdAt: timeSchema,
  volumes: z.array(pointVolumeSchema),
});
export type Point = z.infer<typeof pointSchema>;

export const pointWithDescriptionSchema = pointSchema.extend({
  description: z.record(z.string(), z.unknown()).describe("what is needed to rebuild the instance"),
});
export const pointQuerySchema = pageQuerySchema.extend({ resource: z.string().optional() });

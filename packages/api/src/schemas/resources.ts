import { z } from "zod";
import { accountIdSchema, arnSchema, pageQuerySchema, regionSchema, timeSchema } from "./shared.ts";

export const resourceVolumeSchema = z.object({
  volumeId: z.string(),
  deviceName: z.string(),
  sizeBytes: z.number().int(),
  isRoot: z.boolean(),
  isEncrypted: z.boolean(),
});

/** An EC2 instance as the last scan saw it. */
export const resourceSchema = z.object({
  arn: arnSchema,
  kind: z.literal("ec2-instance"),
  accountId: accountIdSchema,
  region: regionSchema,
  name: z.string(),
  state: z.string(),
  instanceType: z.string(),
  volumes: z.array(resourceVolumeSchema),
  tags: z.record(z.string(), z.string()),
  seenAt: timeSchema,
});
export type Resource = z.infer<typeof resourceSchema>;

export const resourceQuerySchema = pageQuerySchema.extend({ accountId: accountIdSchema.optional() });
export const rescanSchema = z.object({ accountId: accountIdSchema.optional() });
export const rescanResultSchema = z.object({
  scanned: z.array(z.object({ accountId: accountIdSchema, instances: z.number().int() })),
});

import { z } from "zod";

const sweepItemSchema = z.object({
  kind: z.string(),
  accountId: z.string(),
  region: z.string(),
  resourceId: z.string(),
  runId: z.string().optional(),
  why: z.string(),
});

/** `remove`: what this installation made and no longer needs. `foreign`: carries our tags, but is not ours: never touched. */
export const sweepPlanSchema = z.object({
  remove: z.array(sweepItemSchema),
  foreign: z.array(sweepItemSchema),
  unreachable: z.array(z.object({ accountId: z.string(), message: z.string() })),
});
export type SweepPlan = z.infer<typeof sweepPlanSchema>;

export const sweepResultSchema = sweepPlanSchema.extend({
  removed: z.array(sweepItemSchema),
  failed: z.array(sweepItemSchema.extend({ message: z.string() })),
});
export type SweepResult = z.infer<typeof sweepResultSchema>;

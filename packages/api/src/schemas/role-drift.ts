import { z } from "zod";
import { accountIdSchema, pageQuerySchema, roleArnSchema, timeSchema } from "./shared.ts";

const documentSchema = z.record(z.string(), z.unknown());

export const driftChangeSchema = z.object({
  part: z.string().describe("trust policy, inline policy NAME, attached policy ARN, ..."),
  before: documentSchema.optional(),
  after: documentSchema.optional(),
});

export const driftEventSchema = z.object({
  name: z.string().describe("the call, as CloudTrail names it: PutRolePolicy"),
  at: timeSchema,
  who: z.string(),
  from: z.string().optional().describe("address or service that it came from"),
});
export type DriftEvent = z.infer<typeof driftEventSchema>;

export const roleDriftSchema = z.object({
  id: z.string(),
  roleArn: roleArnSchema,
  accountId: accountIdSchema,
  since: timeSchema.describe("the last check that found the role good, with which it is compared"),
  foundAt: timeSchema,
  seenAt: timeSchema.describe("the last check that found it so"),
  isBroken: z.boolean().describe("whether the role failed its check then"),
  changes: z.array(driftChangeSchema),
  events: z.array(driftEventSchema).describe("calls that may have made the change; empty when none is known"),
  eventsUnread: z.string().optional().describe("why CloudTrail could not be asked"),
});
export type RoleDrift = z.infer<typeof roleDriftSchema>;

export const roleDriftQuerySchema = pageQuerySchema.extend({ roleArn: roleArnSchema.optional() });

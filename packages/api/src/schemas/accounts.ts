import { z } from "zod";
import { accountIdSchema, regionSchema, roleArnSchema, timeSchema } from "./shared.ts";

/** What the launch of a worker takes that AWS would otherwise choose. */
export const workerConfigurationSchema = z.object({
  subnetId: z.string().optional(),
  securityGroupIds: z.array(z.string()).max(5).optional(),
  instanceType: z.string().default("t3.medium"),
  imageId: z.string().optional().describe("instead of the current Amazon Linux 2023"),
});
export type WorkerConfiguration = z.infer<typeof workerConfigurationSchema>;

/** Which of the account's roles Garrison assumes for what; roles the account has no use for are absent. */
export const accountRolesSchema = z.object({
  backup: roleArnSchema.optional(),
  restore: roleArnSchema.optional(),
  worker: roleArnSchema.optional(),
  workerDeployment: roleArnSchema.optional(),
});
export type AccountRoles = z.infer<typeof accountRolesSchema>;

export const newAccountSchema = z.object({
  id: accountIdSchema,
  name: z.string().min(1).max(100),
  region: regionSchema,
  roles: accountRolesSchema,
  externalId: z
    .string()
    .regex(/^[\w+=,.@:/-]{2,1224}$/)
    .optional(),
  workerConfiguration: workerConfigurationSchema.default({ instanceType: "t3.medium" }),
});
export type NewAccount = z.infer<typeof newAccountSchema>;

export const accountSchema = newAccountSchema.extend({ createdAt: timeSchema });
export type Account = z.infer<typeof accountSchema>;

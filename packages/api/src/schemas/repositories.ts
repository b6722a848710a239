import { z } from "zod";
import { accountIdSchema, roleArnSchema, timeSchema } from "./shared.ts";

export const newRepositorySchema = z
  .object({
    name: z.string().min(1).max(100),
    url: z.string().max(1024).describe("s3://bucket/prefix[?region=..&endpoint=..] or file:///folder"),
    mode: z
      .enum(["init", "adopt"])
      .describe("init makes a new repository there; adopt opens one that exists"),
    password: z.string().min(1).max(1024).optional().describe("absent with init: a random secret is drawn"),
    roleArn: roleArnSchema.optional().describe("assumed to reach the bucket"),
    externalId: z.string().max(1224).optional(),
    stagingBucket: z.string().max(63).optional().describe("where workers fetch their program"),
    bucketKeyArn: z.string().optional(),
  })
  .refine((body) => body.mode === "init" || body.password !== undefined, {
    message: "adopting a repository needs its password",
    path: ["password"],
  });
export type NewRepository = z.infer<typeof newRepositorySchema>;

/** The secret is never answered. */
export const repositorySchema = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  kind: z.enum(["s3", "folder"]),
  repositoryId: z.string().describe("32 hex digits, inside the repository"),
  roleArn: z.string().optional(),
  stagingBucket: z.string().optional(),
  createdAt: timeSchema,
});
export type RepositoryBody = z.infer<typeof repositorySchema>;

export const repositoryCheckRequestSchema = z.object({
  accountId: accountIdSchema.describe("whose domain is checked"),
  level: z.enum(["structure", "full"]).default("structure"),
});

export const repositoryCheckSchema = z.object({
  findings: z.array(
    z.object({
      severity: z.enum(["damage", "notice"]),
      code: z.string(),
      key: z.string(),
      message: z.string(),
      point: z.string().optional(),
      volumeId: z.string().optional(),
    }),
  ),
});
export type RepositoryCheck = z.infer<typeof repositoryCheckSchema>;

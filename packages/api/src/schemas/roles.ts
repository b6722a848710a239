import { z } from "zod";
import { accountIdSchema, placementSchema } from "./shared.ts";

export const roleSummarySchema = z.object({
  id: z.string(),
  title: z.string(),
  defaultName: z.string(),
  livesIn: z.string(),
  operations: z.array(z.string()),
});

export const checkRequestSchema = z.object({
  operation: z.enum(["ec2.image-backup", "ec2.instance-restore"]),
  placement: placementSchema.default("production"),
  least: z
    .boolean()
    .default(false)
    .describe("also list what the roles can do beyond the catalogue; alarms make the verdict `failed`"),
});

const verdictSchema = z.enum(["passed", "failed", "unknown"]);

const statementSchema = z
  .object({
    layer: z.string(),
    policy: z.string(),
    sid: z.string().optional(),
    statementIndex: z.number().int().optional(),
    accountId: z.string().optional(),
    attachedTo: z.string().optional(),
  })
  .describe("where it is decided: layer, policy, statement, account or organisation level");

const patchSchema = z
  .object({
    layer: z.string(),
    policy: z.string().optional(),
    orgIdentifier: z.string().optional(),
    accountId: z.string().optional(),
    change: z.enum(["add", "replace", "remove"]),
    index: z.number().int().optional(),
    sid: z.string().optional(),
    statement: z.record(z.string(), z.unknown()),
  })
  .describe("one change of one policy document; all patches of a finding together mend it");

export const linkFindingSchema = z.object({
  link: z.string(),
  subject: z.string(),
  verdict: verdictSchema,
  sentence: z.string(),
  knownBy: z.array(z.string()),
  action: z.string().optional(),
  resource: z.string().optional(),
  statement: statementSchema.optional(),
  fix: z.record(z.string(), z.unknown()).optional(),
  patches: z.array(patchSchema).optional(),
  tree: z.record(z.string(), z.unknown()).optional().describe("what was weighed, layer by layer"),
});

const excessSchema = z.object({
  subject: z.string(),
  kind: z.enum(["alarm", "beyond", "wide"]),
  action: z.string(),
  resource: z.string(),
  sentence: z.string(),
  knownBy: z.array(z.string()),
  statement: statementSchema.optional(),
});

export const chainReportSchema = z.object({
  verdict: verdictSchema,
  operations: z.array(z.string()),
  placement: placementSchema,
  findings: z.array(linkFindingSchema),
  excess: z.array(excessSchema).optional(),
});

export const organizationCheckSchema = z.object({
  accountIds: z.array(accountIdSchema).max(1000).optional().describe("default: every account"),
  placement: placementSchema.default("production"),
});

export const organizationReportSchema = z.object({
  verdict: verdictSchema,
  durationMs: z.number(),
  accounts: z.array(
    z.object({
      accountId: z.string(),
      name: z.string().optional(),
      verdict: verdictSchema,
      roles: z.array(
        z.object({
          roleId: z.string(),
          roleArn: z.string(),
          verdict: verdictSchema,
          findings: z.array(linkFindingSchema),
        }),
      ),
    }),
  ),
});

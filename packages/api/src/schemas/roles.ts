import { z } from "zod";
import { placementSchema } from "./shared.ts";

export const roleSummarySchema = z.object({
  id: z.string(),
  title: z.string(),
  defaultName: z.string(),
  livesIn: z.string(),
  operations: z.array(z.string()),
});
export type RoleSummary = z.infer<typeof roleSummarySchema>;

export const checkRequestSchema = z.object({
  operation: z.enum(["ec2.image-backup", "ec2.instance-restore"]),
  placement: placementSchema.default("production"),
});

const verdictSchema = z.enum(["passed", "failed", "unknown"]);

export const chainReportSchema = z.object({
  verdict: verdictSchema,
  operations: z.array(z.string()),
  placement: placementSchema,
  findings: z.array(
    z.object({
      link: z.string(),
      subject: z.string(),
      verdict: verdictSchema,
      sentence: z.string(),
      knownBy: z.array(z.string()),
      action: z.string().optional(),
      resource: z.string().optional(),
      statement: z.record(z.string(), z.unknown()).optional(),
      fix: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});
export type ChainReportBody = z.infer<typeof chainReportSchema>;

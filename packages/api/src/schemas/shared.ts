import { z } from "zod";

export const accountIdSchema = z.string().regex(/^\d{12}$/, "12 digits");
export const regionSchema = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "an AWS Region such as eu-central-1");
export const arnSchema = z.string().regex(/^arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:\d*:.+$/, "an ARN");
export const roleArnSchema = z
  .string()
  .regex(/^arn:[a-z-]+:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, "the ARN of an IAM role");
export const placementSchema = z.enum(["production", "backup"]);
export const timeSchema = z.iso.datetime().describe("UTC, ISO 8601");

/** Every list answers a page: `nextCursor` is absent on the last one. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().optional() });
}

export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(512).optional().describe("nextCursor of the page before"),
});

/** RFC 9457. `code` is one of the error table (docs/errors.md). */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  help: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof problemSchema>;

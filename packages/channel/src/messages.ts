import { z } from "zod";

/** What appliance and worker say to each other once a channel is open. Shapes only; sealing is in `seal-message.ts`. */

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));

export const awsCredentialsSchema = z.object({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.string(),
  expiresAtMs: z.number().int(),
});
export type AwsCredentialsMessage = z.infer<typeof awsCredentialsSchema>;

/** Lent rights of one task: `repository` for S3 (and its KMS key), `data` for the EBS direct APIs (and their keys). */
export const taskCredentialsSchema = z.object({
  repository: awsCredentialsSchema,
  data: awsCredentialsSchema,
});
export type TaskCredentials = z.infer<typeof taskCredentialsSchema>;

export const repositoryAccessSchema = z.object({
  /** `s3://bucket/prefix?region=...[&endpoint=...]` */
  url: z.string(),
  repositoryId: z.string(),
  domain: z.string(),
  idKey: base64,
  /** The keys of each key epoch of the domain, first one first; new objects are sealed with the last. */
  epochs: z
    .array(
      z.object({
        epoch: z.number().int().positive(),
        mapKey: base64,
        pointKey: base64,
        controlPublicKey: base64,
      }),
    )
    .min(1)
    .readonly(),
});
export type RepositoryAccess = z.infer<typeof repositoryAccessSchema>;

export const imageBackupTaskSchema = z.object({
  verb: z.literal("image-backup"),
  region: z.string(),
  repository: repositoryAccessSchema,
  session: z.object({
    sessionId: hex(8),
    laneId: hex(4),
    epoch: z.number().int().positive(),
    dataKey: base64,
  }),
  /** The protected resource's ARN; its keyed hash names the series. */
  series: z.string(),
  /** Session id of the restore point whose map the changed blocks apply to. */
  parent: hex(8).optional(),
  volumes: z
    .array(
      z.object({
        volumeId: z.string(),
        deviceName: z.string(),
        sizeBytes: z.number().int(),
        snapshotId: z.string(),
        /** Snapshot of `parent`; absent means read every allocated block. */
        baseSnapshotId: z.string().optional(),
      }),
    )
    .min(1)
    .max(128),
  /** What is needed to rebuild the resource; sealed into the record as it is. */
  description: z.record(z.string(), z.unknown()),
});
export type ImageBackupTask = z.infer<typeof imageBackupTaskSchema>;

export const imageRestoreTaskSchema = z.object({
  verb: z.literal("image-restore"),
  region: z.string(),
  repository: repositoryAccessSchema,
  series: z.string(),
  point: hex(8),
  /** Data keys of the sessions that the point refers to. */
  sessionKeys: z.record(hex(8), base64),
  /** `snapshotId`: pending, started by the appliance; the worker may only put its blocks. */
  volumes: z
    .array(z.object({ volumeId: z.string(), snapshotId: z.string() }))
    .min(1)
    .max(128),
});
export type ImageRestoreTask = z.infer<typeof imageRestoreTaskSchema>;

/** Proves that this instance reaches S3 and EBS under lent rights. Gets no key of the repository: it reads no backup. */
export const selfTestTaskSchema = z.object({
  verb: z.literal("self-test"),
  region: z.string(),
  repository: z.object({ url: z.string() }),
  /** Created and read again, below the repository's prefix; the appliance deletes it. */
  objectKey: z.string(),
  /** Listed. */
  snapshotId: z.string(),
});
export type SelfTestTask = z.infer<typeof selfTestTaskSchema>;

export const taskSchema = z.discriminatedUnion("verb", [
  imageBackupTaskSchema,
  imageRestoreTaskSchema,
  selfTestTaskSchema,
]);
export type Task = z.infer<typeof taskSchema>;

export const volumeProgressSchema = z.object({
  volumeId: z.string(),
  /** Blocks looked at, of those known so far to be looked at. */
  blocksDone: z.number().int(),
  blocksTotal: z.number().int().optional(),
  bytesRead: z.number().int(),
  bytesStored: z.number().int(),
});

export const imageBackupResultSchema = z.object({
  verb: z.literal("image-backup"),
  point: hex(8),
  volumes: z.array(
    z.object({
      volumeId: z.string(),
      /** What was read: every allocated block, or what changed since the base. */
      coverage: z.enum(["full", "changes"]),
      /** Why changes could not be used, when a base was given. */
      fallbackReason: z.string().optional(),
      blocksListed: z.number().int(),
      blocksRead: z.number().int(),
      bytesRead: z.number().int(),
      blocksStored: z.number().int(),
      bytesStored: z.number().int(),
      blocksReused: z.number().int(),
      blocksResumed: z.number().int(),
    }),
  ),
  durationMs: z.number(),
});

export const imageRestoreResultSchema = z.object({
  verb: z.literal("image-restore"),
  volumes: z.array(
    z.object({
      volumeId: z.string(),
      snapshotId: z.string(),
      blocksWritten: z.number().int(),
      bytesWritten: z.number().int(),
      linearChecksum: base64,
    }),
  ),
  durationMs: z.number(),
});

const probeOutcomeSchema = z.object({ isReached: z.boolean(), message: z.string().max(4_000) });

export const selfTestResultSchema = z.object({
  verb: z.literal("self-test"),
  s3: probeOutcomeSchema,
  ebs: probeOutcomeSchema,
});
export type SelfTestResult = z.infer<typeof selfTestResultSchema>;
export type ProbeOutcome = z.infer<typeof probeOutcomeSchema>;

export const taskResultSchema = z.discriminatedUnion("verb", [
  imageBackupResultSchema,
  imageRestoreResultSchema,
  selfTestResultSchema,
]);
export type ImageBackupResult = z.infer<typeof imageBackupResultSchema>;
export type ImageRestoreResult = z.infer<typeof imageRestoreResultSchema>;
export type TaskResult = z.infer<typeof taskResultSchema>;

export const toWorkerSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("task"),
    taskId: z.string(),
    task: taskSchema,
    credentials: taskCredentialsSchema,
  }),
  z.object({ type: z.literal("credentials"), taskId: z.string(), credentials: taskCredentialsSchema }),
  z.object({ type: z.literal("cancel"), taskId: z.string() }),
  z.object({ type: z.literal("heartbeat") }),
  z.object({ type: z.literal("goodbye") }),
]);
export type ToWorker = z.infer<typeof toWorkerSchema>;

export const toApplianceSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    version: z.string(),
    /** What the start-up probe found: file systems, programs, memory, processors. */
    capabilities: z.record(z.string(), z.unknown()),
  }),
  z.object({
    type: z.literal("progress"),
    taskId: z.string(),
    volumes: z.array(volumeProgressSchema).max(128),
  }),
  z.object({ type: z.literal("credentials-needed"), taskId: z.string() }),
  /** What somebody has to mend though the worker goes on. */
  z.object({ type: z.literal("trouble"), sentence: z.string().max(4_000) }),
  z.object({ type: z.literal("result"), taskId: z.string(), result: taskResultSchema }),
  z.object({
    type: z.literal("failure"),
    taskId: z.string(),
    code: z.string(),
    message: z.string(),
    retryable: z.boolean(),
  }),
  z.object({ type: z.literal("heartbeat") }),
]);
export type ToAppliance = z.infer<typeof toApplianceSchema>;

import { z } from "zod";
import { publicKeysSchema } from "./peer-identity.ts";

const plainName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);

/** What a worker is started with. Nothing in it is secret: it travels in Run Command parameters, which AWS keeps. */
export const workerConfigSchema = z.object({
  installation: plainName,
  worker: plainName,
  run: z.string().regex(/^[A-Za-z0-9._-]{1,128}$/),
  region: plainName,
  /** Names of the queues without `-in` and `-out`. */
  queuePrefix: z.string().regex(/^[A-Za-z0-9_-]{1,76}$/),
  appliance: publicKeysSchema,
  /** The worker ends by then, whatever it is doing. */
  deadlineMs: z.number().int().positive(),
  /** It ends, too, when it has heard nothing from the appliance for so long. */
  silenceMs: z.number().int().positive(),
  /** Reads or writes of blocks per second, at most; the account's quota is shared with others. */
  blockCallsPerSecond: z.number().positive(),
});
export type WorkerConfig = z.infer<typeof workerConfigSchema>;

import type { Clock } from "@garrison/core/clock";
import type { Logger } from "@garrison/core/logger";
import type { Random } from "@garrison/core/random";

/** What every command gets from the composition root; nothing else reads the outside world. */
export interface CliContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Fires on the first SIGINT/SIGTERM: commands stop cleanly; a second signal kills. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  /** Sets the process's exit code without ending it: 0 done, 1 failed, 2 usage, 3 unknown. */
  setExitCode(code: 0 | 1 | 2 | 3): void;
}

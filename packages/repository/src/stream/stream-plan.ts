import type { SessionPlan } from "../backup/backup-plan.ts";
import type { EngineLimits } from "../backup/engine-limits.ts";
import type { CutSizes } from "./cut-sizes.ts";

/** The one volume of a point that holds a stream, unless its plan names it otherwise. */
export const defaultStreamId = "stream";

export interface StreamPlan extends Omit<SessionPlan, "volumes"> {
  readonly streamId?: string;
  /** What is read, in a word: kept in the record. Resuming needs the same one. */
  readonly identity: string;
  /**
   * The bytes, in reads of any length; each is used before the next one is asked for. Its end says that the stream is
   * whole: a producer that may fail must throw (`producer-failed` gives the session up) instead of ending. It ends or
   * throws when the call's signal fires.
   */
  readonly input: AsyncIterable<Uint8Array>;
  readonly limits?: EngineLimits;
  readonly cutSizes?: CutSizes;
}

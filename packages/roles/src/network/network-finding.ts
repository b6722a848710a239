import type { Verdict } from "../chain-report.ts";

/** One thing that a worker needs of its network. */
export interface NetworkFinding {
  /** `service sqs`, `free addresses` */
  readonly check: string;
  readonly verdict: Verdict;
  readonly sentence: string;
  /** The smallest thing to do; present when something is missing. */
  readonly fix?: string;
}

import type { EngineProps } from "./actors/stage.ts";
import type { Mistake } from "./mistakes/mistake.ts";
import { runHistory, type HistoryReport } from "./run-history.ts";
import { HistoryCounts } from "./world/history-counts.ts";

export interface HistoriesPlan {
  readonly firstSeed: number;
  readonly histories: number;
  readonly mistake?: Mistake;
  readonly onHistory?: (report: HistoryReport) => void;
}

export interface HistoriesReport {
  readonly histories: number;
  readonly counts: HistoryCounts;
  /** Histories in which a promise was broken: all of them with a mistake, without one only the first, where it stops. */
  readonly broken: readonly HistoryReport[];
}

/** Runs histories of consecutive seeds one after the other. */
export async function runHistories(props: EngineProps, plan: HistoriesPlan): Promise<HistoriesReport> {
  const { firstSeed, mistake } = plan;
  const counts = new HistoryCounts();
  const broken: HistoryReport[] = [];
  let histories = 0;
  while (histories < plan.histories) {
    const seed = firstSeed + histories++;
    const report = await runHistory(props, { seed, ...(mistake === undefined ? {} : { mistake }) });
    counts.merge(report.counts);
    plan.onHistory?.(report);
    if (report.violation === undefined) continue;
    broken.push(report);
    if (mistake === undefined) break;
  }
  return { histories, counts, broken };
}

import { formatSize } from "@garrison/core/units";
import type { VolumeProgress } from "@garrison/repository/backup/backup-plan";
import type { CliContext } from "../cli-context.ts";

const linesEveryMs = 10_000;
const redrawEveryMs = 200;

export interface ProgressLine {
  readonly update: (progress: VolumeProgress) => void;
  /** Ends the line that is being redrawn. */
  readonly finish: () => void;
}

/** Progress on stderr: one line that is redrawn on a terminal, a plain line now and then elsewhere. */
export function showProgress(doing: string, context: CliContext): ProgressLine {
  const { stderr, clock } = context;
  const isTerminal = stderr.isTTY === true;
  let shownAtMs = clock.now();
  let isLineOpen = false;
  return {
    update(progress) {
      const now = clock.now();
      if (now - shownAtMs < (isTerminal ? redrawEveryMs : linesEveryMs)) return;
      shownAtMs = now;
      const text = describe(doing, progress);
      stderr.write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`);
      isLineOpen = isTerminal;
    },
    finish() {
      if (isLineOpen) stderr.write("\r\x1b[K");
    },
  };
}

function describe(doing: string, progress: VolumeProgress): string {
  const { blocksDone, blocksTotal, bytesRead, bytesStored } = progress;
  const share =
    blocksTotal === undefined || blocksTotal === 0
      ? ""
      : ` (${Math.floor((100 * blocksDone) / blocksTotal)} %)`;
  const stored = bytesStored === 0 ? "" : `, stored ${formatSize(bytesStored)}`;
  return `${doing}: ${blocksDone} blocks${share}, read ${formatSize(bytesRead)}${stored}`;
}

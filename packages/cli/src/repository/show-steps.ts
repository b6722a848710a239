import type { PruneProgress } from "@garrison/repository/prune/prune-plan";
import type { CliContext } from "../cli-context.ts";

const linesEveryMs = 10_000;
const redrawEveryMs = 200;

const doing: Readonly<Record<PruneProgress["step"], string>> = {
  sessions: "reading what sessions have become",
  audit: "auditing pack tables",
  packs: "comparing packs with tables",
  moves: "moving what is left of packs",
  delete: "deleting",
};

/** Progress of a pass on stderr: one line that is redrawn on a terminal, a plain line now and then elsewhere. */
export function showSteps(context: CliContext): {
  readonly update: (progress: PruneProgress) => void;
  readonly finish: () => void;
} {
  const { stderr, clock } = context;
  const isTerminal = stderr.isTTY === true;
  let shownAtMs = clock.now();
  let isLineOpen = false;
  return {
    update({ step, done, total }) {
      const now = clock.now();
      if (now - shownAtMs < (isTerminal ? redrawEveryMs : linesEveryMs)) return;
      shownAtMs = now;
      const text = `${doing[step]}: ${done}${total === undefined ? "" : ` of ${total}`}`;
      stderr.write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`);
      isLineOpen = isTerminal;
    },
    finish() {
      if (isLineOpen) stderr.write("\r\x1b[K");
      isLineOpen = false;
    },
  };
}

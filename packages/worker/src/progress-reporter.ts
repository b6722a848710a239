import type { ToAppliance } from "@garrison/channel/messages";
import type { VolumeProgress } from "@garrison/repository/backup/backup-plan";

type ProgressMessage = Extract<ToAppliance, { type: "progress" }>;

/** Keeps the newest numbers of each volume until they are told. */
export class ProgressReporter {
  readonly #taskId: string;
  readonly #latest = new Map<string, VolumeProgress>();
  #isNews = false;

  constructor(taskId: string) {
    this.#taskId = taskId;
  }

  report(progress: VolumeProgress): void {
    this.#latest.set(progress.volumeId, progress);
    this.#isNews = true;
  }

  /** The message to send, or undefined when nothing has changed since the last. */
  take(): ProgressMessage | undefined {
    if (!this.#isNews) return undefined;
    this.#isNews = false;
    return { type: "progress", taskId: this.#taskId, volumes: [...this.#latest.values()] };
  }
}

/** One thing that happened, in the order of happening. */
export interface TraceLine {
  readonly step: number;
  /** True time since the history began. */
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  readonly key: string;
  readonly outcome: string;
}

/** `  812  3 d 04:05:06  writer-2  create  ...  created`. */
export function formatTraceLine({ step, atMs, who, what, key, outcome }: TraceLine): string {
  const seconds = Math.floor(atMs / 1000);
  const two = (number: number) => String(number).padStart(2, "0");
  const clock = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const time = `${Math.floor(seconds / 86_400)} d ${clock}`;
  return `${String(step).padStart(6)}  ${time.padStart(14)}  ${who.padEnd(14)} ${what.padEnd(11)} ${key}  ${outcome}`;
}

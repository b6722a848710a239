/** Structured log; pino satisfies it. Fields are for programs, the message for people; never secrets in either. */
export interface Logger {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** JSON lines, one object a line: `{"time","level","message",...fields}`. */
export function jsonLogger(write: (line: string) => void, now: () => number): Logger {
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    write(`${JSON.stringify({ time: new Date(now()).toISOString(), level, message, ...fields })}\n`);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

import { errorTable, type GarrisonErrorCode } from "./error-table.ts";

export interface GarrisonErrorOptions {
  readonly cause?: unknown;
  /** Facts for programs (ids, numbers); never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The only error class. `message` names the object and our own step; what the cause said stays in `cause`, so that no
 * sentence is said twice when both are printed.
 */
export class GarrisonError extends Error {
  override readonly name = "GarrisonError";
  readonly code: GarrisonErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: GarrisonErrorCode, message: string, options: GarrisonErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }
}

export function isGarrisonError(value: unknown, code?: GarrisonErrorCode): value is GarrisonError {
  return value instanceof GarrisonError && (code === undefined || value.code === code);
}

/** One line for a log or terminal: the message, then each cause's, outermost first. At most 8 causes. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 8 && current !== undefined; depth++) {
    if (!(current instanceof Error)) {
      parts.push(String(current));
      break;
    }
    parts.push(
      current instanceof GarrisonError
        ? `${current.code}: ${current.message}`
        : `${current.name}: ${current.message}`,
    );
    current = current.cause;
  }
  return parts.join(" <- ");
}

/** The request can't be read; each protocol names it in its own way (see protocol-errors.ts). */
export type DecodeProblem =
  | "unknown-parameter"
  | "malformed-value"
  | "missing-parameter"
  | "malformed-body"
  | "unknown-operation";

export class DecodeError extends Error {
  override readonly name = "DecodeError";
  readonly problem: DecodeProblem;
  /** The parameter or operation, as the caller wrote it. */
  readonly subject: string;

  constructor(problem: DecodeProblem, subject: string, message: string) {
    super(message);
    this.problem = problem;
    this.subject = subject;
  }
}

export function unknownParameter(name: string): DecodeError {
  return new DecodeError("unknown-parameter", name, `The parameter ${name} is not recognized`);
}

export function malformedValue(name: string, value: unknown): DecodeError {
  return new DecodeError(
    "malformed-value",
    name,
    `Value (${String(value)}) for parameter ${name} is invalid`,
  );
}

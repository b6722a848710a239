export interface AwsErrorOptions {
  /** HTTP status; the modelled one of the code, or 400, when absent. */
  readonly status?: number;
  /** Modelled members of the error besides code and message. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Headers that go with the answer (`x-amz-bucket-region`, ...). */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * An answer of AWS's that isn't success: thrown by handlers, written by the wire in the shape of the caller's protocol.
 * It is protocol data, not one of Garrison's own errors, and never leaves the lab as an exception.
 */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly code: string;
  readonly status: number | undefined;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, message: string, options: AwsErrorOptions = {}) {
    super(message);
    this.code = code;
    this.status = options.status;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }
}

/** What a caller may rely on for one error code: retried or not, and what each edge (HTTP, shell) answers. */
export interface ErrorCode {
  /** Whether the same call, repeated later, may succeed without anybody changing anything. */
  readonly retryable: boolean;
  readonly httpStatus: number;
  /** 1 failed, 2 the user's input is wrong, 3 not known. */
  readonly exitCode: 1 | 2 | 3;
  readonly title: string;
  /** What the person who reads it can do. */
  readonly help: string;
}

/** Keeps the literal keys of an area's table while checking each entry. */
export function defineErrorCodes<const Table extends Readonly<Record<string, ErrorCode>>>(
  table: Table,
): Readonly<Table> {
  return Object.freeze(table);
}

import type { z } from "zod";

/** One operation of the REST API: what is asked, what is answered. Server, client and document are all made from it. */
export interface ApiOperation {
  readonly method: "GET" | "POST" | "DELETE";
  /** `/api/v1/runs/{runId}` */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly response: z.ZodType;
  /** Status of success; default 200. */
  readonly status?: 200 | 201 | 202;
  /** Answers `text/event-stream`; `response` is one event's data. */
  readonly isStream?: boolean;
  /** Open to anyone who reaches the port. */
  readonly isPublic?: boolean;
}

/** Keeps the literal types of an operation's schemas. */
export function defineOperations<const Table extends Readonly<Record<string, ApiOperation>>>(
  table: Table,
): Table {
  return table;
}

import type { Readable } from "node:stream";

/** What goes back over HTTP. */
export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | Readable;
}

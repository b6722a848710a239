import type { Readable } from "node:stream";
import type { AwsError } from "./aws-error.ts";
import type { Reply } from "./reply.ts";
import type { RestRequest } from "./rest-routes.ts";
import type { OperationSchema } from "./schema.ts";

/** A request as far as HTTP goes. */
export type ProtocolRequest = RestRequest;

/** The operation a request asks for, found before its body is read where the protocol allows. */
export interface Target {
  readonly operation: OperationSchema;
  readonly labels: Readonly<Record<string, string>>;
  /** The body is the value of a blob member and needn't be held in memory. */
  readonly streamsInput: boolean;
}

/** One wire protocol bound to one service's schemas. */
export interface Protocol {
  /** Undefined when only the body names the operation (the query protocols). */
  target(request: ProtocolRequest): Target | undefined;
  /** Reads the input. `target` is what `target()` returned. */
  decode(target: Target | undefined, request: ProtocolRequest, body: Uint8Array | Readable): Decoded;
  encode(operation: OperationSchema, output: Readonly<Record<string, unknown>>, requestId: string): Reply;
  encodeError(error: AwsError, requestId: string): Reply;
}

export interface Decoded {
  readonly operation: OperationSchema;
  readonly input: Record<string, unknown>;
}

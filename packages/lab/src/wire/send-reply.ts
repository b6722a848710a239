import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import type { Reply } from "./reply.ts";

/** Writes a reply. A body that fails midway ends the connection, so that no client takes half for whole. */
export function sendReply(response: ServerResponse, reply: Reply, isHead: boolean): void {
  if (response.destroyed) return;
  const { body, headers, status } = reply;
  if (typeof body === "string" || body instanceof Uint8Array) {
    if (!isHead && status !== 304 && status !== 204)
      headers["content-length"] = String(Buffer.byteLength(body));
    response.writeHead(status, headers);
    response.end(isHead ? undefined : body);
    return;
  }
  response.writeHead(status, headers);
  if (isHead) {
    body.destroy();
    response.end();
    return;
  }
  pipeline(body, response, () => undefined);
}

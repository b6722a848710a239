import type { Lab } from "../lab.ts";
import type { Progress } from "./progress.ts";

/** Notes a call, as CloudTrail would. */
export function logCall(
  lab: Lab,
  progress: Progress,
  error?: { readonly code: string; readonly detail?: string },
): void {
  const { incoming, requestId, operation = "", caller, path } = progress;
  const { headers, socket } = incoming.message;
  lab.calls.add({
    atMs: lab.clock.now(),
    requestId,
    service: incoming.service,
    operation,
    region: typeof incoming.signature === "object" ? incoming.signature.region : "",
    principalArn: caller?.arn ?? "",
    accessKeyId: typeof incoming.signature === "object" ? incoming.signature.accessKeyId : "",
    sourceIp: path !== undefined && path.kind !== "closed" ? path.sourceIp : (socket.remoteAddress ?? ""),
    userAgent: headers["user-agent"] ?? "",
    actions: progress.authorizer?.asked() ?? [],
    ...(error === undefined ? {} : { errorCode: error.code }),
    ...(error?.detail === undefined ? {} : { errorDetail: error.detail }),
  });
}

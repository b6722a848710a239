import type { Lab } from "../lab.ts";
import type { Progress } from "./progress.ts";

/** Notes an answered call, as CloudTrail would. */
export function logCall(lab: Lab, progress: Progress, errorCode: string | undefined): void {
  const { incoming, requestId, operation = "", caller } = progress;
  const { headers, socket } = incoming.message;
  lab.calls.add({
    atMs: lab.clock.now(),
    requestId,
    service: incoming.service,
    operation,
    region: typeof incoming.signature === "object" ? incoming.signature.region : "",
    principalArn: caller?.arn ?? "",
    accessKeyId: typeof incoming.signature === "object" ? incoming.signature.accessKeyId : "",
    sourceIp: socket.remoteAddress ?? "",
    userAgent: headers["user-agent"] ?? "",
    actions: progress.authorizer?.asked() ?? [],
    ...(errorCode === undefined ? {} : { errorCode }),
  });
}

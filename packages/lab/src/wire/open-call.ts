import { openAuthorizer } from "../authorization/authorizer.ts";
import type { CallerPrincipal } from "../identity/caller-principal.ts";
import type { Lab } from "../lab.ts";
import type { Admitted } from "./admitted-body.ts";
import { globalRegion } from "./global-region.ts";
import type { Call, WireRequest } from "./operation-handler.ts";
import type { Progress } from "./progress.ts";

const anonymous: CallerPrincipal = {
  type: "anonymous",
  accountId: "",
  arn: "anonymous",
  userId: "anonymous",
  accessKeyId: "",
  tags: {},
};

const globalServices: ReadonlySet<string> = new Set(["iam", "organizations"]);

/** What a handler gets: who calls, from where, and the authoriser that answers for this call. */
export function openCall(lab: Lab, progress: Progress, admitted: Admitted): Call {
  const { service, requestId, signal, whenAnswered, incoming, path } = progress;
  const principal = admitted.credential?.principal ?? anonymous;
  const region = regionOf(lab, progress);
  const request = describeRequest(progress, principal, admitted);
  const authorizer = openAuthorizer(lab, {
    caller: principal,
    facts: {
      sourceIp: request.sourceIp,
      ...(path?.kind === "endpoint"
        ? { endpoint: { service: incoming.service, record: path.endpoint } }
        : {}),
      userAgent: request.headers["user-agent"] ?? "",
      region,
      nowMs: lab.clock.now(),
    },
    deniedCode: service!.service.deniedCode,
    encodesDenials: service!.schemas.kind === "ec2-query",
  });
  progress.caller = principal;
  progress.sourceIp = request.sourceIp;
  progress.authorizer = authorizer;
  return {
    requestId,
    accountId: principal.accountId,
    region,
    partition: lab.settings.partition,
    principal,
    request,
    lab,
    signal,
    whenAnswered,
    authorize: authorizer.authorize,
    isAllowed: authorizer.isAllowed,
  };
}

function regionOf(lab: Lab, { incoming }: Progress): string {
  if (globalServices.has(incoming.service)) return globalRegion;
  return typeof incoming.signature === "object" ? incoming.signature.region : lab.settings.region;
}

/** A call from an instance comes from the address that its network gives it, though its process is on this machine. */
function describeRequest(
  { incoming, path }: Progress,
  caller: CallerPrincipal,
  admitted: Admitted,
): WireRequest {
  const { method, rawPath, query, signature, message } = incoming;
  const address = (message.socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:/, "");
  return {
    method,
    path: rawPath,
    query,
    headers: message.headers,
    host: message.headers.host ?? "",
    sourceIp:
      path === undefined || path.kind === "closed"
        ? (caller.session?.instance?.privateIp ?? address)
        : path.sourceIp,
    trailers: admitted.trailers,
    authentication: typeof signature === "object" ? signature.kind : "anonymous",
  };
}

import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { requestHandler } from "./request-handler.ts";

/** Connections that the clients of many identities share; whoever opened them closes them. */
export interface SharedConnections extends Disposable {
  /** As the SDK's clients take it. */
  readonly handler: Omit<ReturnType<typeof requestHandler>, "httpAgent" | "httpsAgent"> & {
    readonly httpAgent: HttpAgent;
    readonly httpsAgent: HttpsAgent;
  };
}

/** A check of an organisation becomes a thousand roles, each for a few calls: connections of their own would cost more. */
export function openSharedConnections(maxSockets: number, silenceMs: number): SharedConnections {
  const settings = { keepAlive: true, maxSockets };
  const httpAgent = new HttpAgent(settings);
  const httpsAgent = new HttpsAgent(settings);
  return {
    handler: { ...requestHandler(maxSockets, silenceMs), httpAgent, httpsAgent },
    [Symbol.dispose]: () => {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

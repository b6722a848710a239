import type { NetworkPath } from "../services/ec2/networks/find-path.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { CallerPrincipal } from "../identity/caller-principal.ts";
import type { FaultRule } from "./faults.ts";
import type { Incoming } from "./incoming.ts";
import type { OpenedService } from "./open-services.ts";
import type { Protocol } from "./protocol.ts";

/** What is known of a request while it is answered; filled in as it is learned, for the log and for errors. */
export interface Progress {
  readonly requestId: string;
  readonly incoming: Incoming;
  readonly signal: AbortSignal;
  /** Runs once nothing of the answer is needed any more, however it went. */
  whenAnswered(run: () => void): void;
  /** The way it took through an instance's network; none if it isn't from an instance. */
  readonly path: NetworkPath | undefined;
  service?: OpenedService;
  protocol?: Protocol;
  operation?: string;
  caller?: CallerPrincipal;
  sourceIp?: string;
  input?: Readonly<Record<string, unknown>>;
  output?: Readonly<Record<string, unknown>>;
  authorizer?: Authorizer;
  /** A fault that waits for the answer. */
  spoiling?: FaultRule;
}

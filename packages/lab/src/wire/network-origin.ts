import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Lab } from "../lab.ts";
import { findPath, type NetworkPath } from "../services/ec2/networks/find-path.ts";
import type { Incoming } from "./incoming.ts";

/** The instance at the other end of a connection: it can't change while the connection lasts. */
const callers = new WeakMap<Socket, { readonly instanceId: string | undefined }>();

/**
 * The way that a request from an instance takes through its network, as that is now; none for requests from elsewhere.
 * An instance is known by its process or, where processes can't be looked at, by the credentials that it signs with.
 */
export function networkPath(lab: Lab, incoming: Incoming): NetworkPath | undefined {
  const instanceId = callerOf(lab, incoming.message) ?? sessionInstance(lab, incoming);
  const instance = instanceId === undefined ? undefined : lab.ec2.tables.instances.get(instanceId);
  if (instance === undefined) return undefined;
  const { service, signature } = incoming;
  const region = typeof signature === "object" ? signature.region : lab.settings.region;
  return findPath(lab.ec2.tables, instance, { service, region });
}

function callerOf(lab: Lab, { socket }: IncomingMessage): string | undefined {
  let caller = callers.get(socket);
  if (caller === undefined) callers.set(socket, (caller = { instanceId: lab.machines.findCaller(socket) }));
  return caller.instanceId;
}

function sessionInstance(lab: Lab, { signature }: Incoming): string | undefined {
  if (typeof signature !== "object") return undefined;
  return lab.identity.sessions.get(signature.accessKeyId)?.instance?.instanceId;
}

/** What a client sees of a closed path: nothing, until it or the kernel gives up. */
export async function staySilent(lab: Lab, { socket }: IncomingMessage): Promise<void> {
  const closed = new AbortController();
  socket.once("close", () => closed.abort());
  try {
    await lab.clock.sleep(lab.ec2.settings.unreachableMs, AbortSignal.any([closed.signal, lab.stopping]));
  } catch {
    // The client gave up, or the lab stops.
  }
  socket.destroy();
}

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { GarrisonError } from "@garrison/core/garrison-error";
import { answerAdmin } from "../admin/answer-admin.ts";
import type { Lab } from "../lab.ts";
import { AwsError } from "./aws-error.ts";
import { openDispatcher, type Dispatcher } from "./dispatcher.ts";
import { Dropped } from "./meet-fault.ts";
import { openServices } from "./open-services.ts";
import type { LabService } from "./operation-handler.ts";

export interface HttpEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

export interface EndpointOptions {
  readonly port: number;
  readonly host: string;
  readonly services: readonly LabService[];
}

/** Listens on one port for every service. */
export async function openHttpEndpoint(
  lab: Lab,
  { port, host, services }: EndpointOptions,
): Promise<HttpEndpoint> {
  const dispatcher = openDispatcher(lab, openServices(services));
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (message, response) => {
    if (message.url?.startsWith("/_lab/"))
      answerAdmin(lab, message, response).catch(() => response.destroy());
    else dispatcher.answer(message, response).catch(() => response.destroy());
  });
  server.on("upgrade", (message, socket, head) => void upgrade(lab, dispatcher, { message, socket, head }));
  await listen(server, port, host);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void =>
      reject(error.code === "EADDRINUSE" ? portInUse(host, port) : error);
    server.once("error", refuse);
    server.listen(port, host, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

function portInUse(host: string, port: number): GarrisonError {
  return new GarrisonError("lab-port-in-use", `something else listens on ${host}:${port}`);
}

interface Upgrade {
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

async function upgrade(lab: Lab, dispatcher: Dispatcher, request: Upgrade): Promise<void> {
  try {
    const { service, call } = await dispatcher.admitUpgrade(request.message);
    if (service.service.upgrade === undefined)
      throw new AwsError("NotImplemented", "no websocket here", { status: 501 });
    await service.service.upgrade(request, call);
  } catch (error) {
    if (error instanceof Dropped) return;
    const status = error instanceof AwsError ? (error.status ?? 400) : 500;
    if (!(error instanceof AwsError))
      lab.logger.error({ error: String(error) }, "a websocket request failed inside the lab");
    request.socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  }
}

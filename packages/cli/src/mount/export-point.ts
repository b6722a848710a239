import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { openImageExport } from "@garrison/repository/export/image-export";
import { openOverlayExport } from "@garrison/repository/export/overlay-export";
import { serveNbd } from "@garrison/repository/export/serve-nbd";
import type { BlockExport } from "@garrison/repository/export/block-export";
import type { CliContext } from "../cli-context.ts";
import type { OpenedRepository } from "../repository/open-named-repository.ts";

export interface ExportedPoint {
  readonly disk: BlockExport;
  /** Of a Unix socket that speaks NBD. */
  readonly socket: string;
  /** A private folder, gone after `close`. */
  readonly folder: string;
  close(): Promise<void>;
}

export interface PointToExport {
  readonly domain: string;
  readonly series: string;
  readonly point: string;
  readonly volumeId: string;
}

/** Serves a volume of a restore point by NBD, with a throw-away overlay for whoever writes. */
export async function exportPoint(
  opened: OpenedRepository,
  point: PointToExport,
  context: CliContext,
): Promise<ExportedPoint> {
  const keys = opened.repository.domainKeys(point.domain);
  const sessionKeys = (session: string, epoch: number) =>
    opened.repository.sessionDataKey(point.domain, session, epoch);
  const folder = await mkdtemp(join(tmpdir(), "garrison-mount-"));
  const image = await openImageExport({ store: opened.store, keys, sessionKeys }, point, context);
  const disk = await openOverlayExport(image, { path: join(folder, "overlay") });
  const socket = join(folder, "nbd");
  const server = await listen(socket, disk, context);
  return {
    disk,
    socket,
    folder,
    async close() {
      server.close();
      await disk.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listen(socket: string, disk: BlockExport, context: CliContext): Promise<Server> {
  // Not the command's signal: the disk has to answer until the file system is unmounted.
  const call = { signal: new AbortController().signal };
  const server = createServer((connection) => {
    serveNbd(context, { socket: connection, disk }, call).catch((error: unknown) =>
      context.logger.warn({ error: String(error) }, "an NBD connection failed"),
    );
  });
  server.listen(socket);
  await once(server, "listening");
  return server;
}

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Connection } from "./machine-host.ts";

/*
 * Machines share the host's network, so an address doesn't tell them apart. The kernel does: its table of connections names
 * the socket at the client's end, and a process's open files name its sockets. Only Linux has these tables; elsewhere, and
 * for processes that took the mark out of their environment, nobody is found.
 */

/** What follows `marker` in the environment of the process that holds the client's end, if it carries the mark. */
export function findConnectionOwner(marker: string, connection: Connection): string | undefined {
  const sockets = clientSockets(connection);
  if (sockets.size === 0) return undefined;
  for (const { pid, value } of markedProcesses(marker)) if (holdsSocket(pid, sockets)) return value;
  return undefined;
}

/** As `/proc/<pid>/fd` names them. */
function clientSockets({ localPort, remotePort }: Connection): ReadonlySet<string> {
  if (localPort === undefined || remotePort === undefined) return new Set();
  const wanted = `${hexPort(remotePort)} ${hexPort(localPort)}`;
  const inodes = ["tcp", "tcp6"].flatMap((name) => {
    const lines = readText(`/proc/net/${name}`).split("\n").slice(1);
    return lines.flatMap((line) => {
      const [, local = "", remote = "", , , , , , , inode = "0"] = line.trim().split(/\s+/);
      const ports = `${local.split(":")[1]} ${remote.split(":")[1]}`;
      return ports === wanted && inode !== "0" ? [`socket:[${inode}]`] : [];
    });
  });
  return new Set(inodes);
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}

function* markedProcesses(marker: string): Generator<{ readonly pid: string; readonly value: string }> {
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const mark = readText(`/proc/${pid}/environ`)
      .split("\0")
      .find((entry) => entry.startsWith(marker));
    if (mark !== undefined) yield { pid, value: mark.slice(marker.length) };
  }
}

function holdsSocket(pid: string, sockets: ReadonlySet<string>): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((name) => sockets.has(readlinkSync(`${folder}/${name}`)));
  } catch {
    // The process has ended, or one of its files was closed while it was looked at.
    return false;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

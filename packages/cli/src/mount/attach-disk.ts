import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GarrisonError } from "@garrison/core/garrison-error";
import { packageHint, runTool } from "./run-tool.ts";

/** An NBD export as a path that the kernel's other parts can use. */
export interface AttachedDisk {
  /** A file or a block device with the disk's bytes. */
  readonly path: string;
  readonly isDevice: boolean;
  /** Lets go of it. Safe to call twice. */
  detach(): Promise<void>;
}

export interface AttachOptions {
  readonly socket: string;
  /** A folder of our own, for a mount point. */
  readonly folder: string;
  readonly isWritable: boolean;
}

const readyTimeoutMs = 20_000;

/** By the kernel's NBD driver where there is one, as a file through FUSE elsewhere. */
export async function attachDisk(options: AttachOptions): Promise<AttachedDisk> {
  const device = await findFreeDevice();
  return device === undefined ? attachByFuse(options) : attachByKernel(options, device);
}

async function findFreeDevice(): Promise<string | undefined> {
  if (process.getuid?.() !== 0 || !existsSync("/dev/nbd0") || !isInstalled("nbd-client")) return undefined;
  const names = (await readdir("/sys/block")).filter((name) => /^nbd\d+$/.test(name));
  const free = names.find((name) => !existsSync(`/sys/block/${name}/pid`) && existsSync(`/dev/${name}`));
  return free === undefined ? undefined : `/dev/${free}`;
}

function isInstalled(command: string): boolean {
  return ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/bin"].some((folder) =>
    existsSync(join(folder, command)),
  );
}

async function attachByKernel(options: AttachOptions, device: string): Promise<AttachedDisk> {
  const access = options.isWritable ? [] : ["-readonly"];
  await runTool("nbd-client", ["-unix", options.socket, device, ...access]);
  let isAttached = true;
  return {
    path: device,
    isDevice: true,
    async detach() {
      if (!isAttached) return;
      await runTool("nbd-client", ["-d", device]);
      isAttached = false;
    },
  };
}

/** As one file below a FUSE mount of nbdfuse. */
async function attachByFuse(options: AttachOptions): Promise<AttachedDisk> {
  const folder = join(options.folder, "disk");
  await mkdir(folder);
  const path = join(folder, "image");
  const access = options.isWritable ? [] : ["-r"];
  const address = `nbd+unix:///?socket=${encodeURIComponent(options.socket)}`;
  const child = spawn("nbdfuse", [...access, path, address], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  const ended = watch(child);
  await waitForFile(path, ended);
  return {
    path,
    isDevice: false,
    async detach() {
      if (ended.reason !== undefined) return;
      await runTool("fusermount3", ["-u", folder]);
      if (ended.reason === undefined) await once(child, "close");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Ending {
  /** Why the program is not there any more. */
  reason: string | undefined;
}

function watch(child: ReturnType<typeof spawn>): Ending {
  const ending: Ending = { reason: undefined };
  let said = "";
  child.stderr?.on("data", (bytes: Buffer) => (said = (said + bytes.toString("utf8")).slice(-2000)));
  child.on("error", (error: NodeJS.ErrnoException) => {
    ending.reason =
      error.code === "ENOENT"
        ? `nbdfuse is not installed${packageHint("nbdfuse")}`
        : `nbdfuse: ${error.message}`;
  });
  child.on("close", (code) => {
    ending.reason ??= said.trim().split("\n").at(-1) || `nbdfuse ended with ${code}`;
  });
  return ending;
}

async function waitForFile(path: string, ending: Ending): Promise<void> {
  for (let waitedMs = 0; waitedMs < readyTimeoutMs; waitedMs += 20) {
    if (ending.reason !== undefined) throw new GarrisonError("mount-failed", ending.reason);
    const size = await stat(path).then(
      (facts) => facts.size,
      () => 0,
    );
    if (size > 0) return;
    await sleep(20);
  }
  throw new GarrisonError("mount-failed", "nbdfuse did not show the disk in time");
}

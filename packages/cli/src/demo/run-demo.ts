import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { ApiClient } from "@garrison/api/client";
import type { Point } from "@garrison/api/schemas/points";
import { listInstances } from "@garrison/aws/ec2/list-instances";
import { GarrisonError } from "@garrison/core/garrison-error";
import { formatSize } from "@garrison/core/units";
import type { CliContext } from "../cli-context.ts";
import { changeMountedDisk, changeUnmountedExt4, type ChangedDisk } from "./change-files.ts";
import type { DemoLab } from "./demo-lab.ts";
import { demoNames } from "./demo-names.ts";
import { completeRun, totalsOf } from "./demo-runs.ts";
import { setUpDemo, type DemoOptions, type RunningDemo } from "./set-up-demo.ts";
import { DemoTimer, type TimedPhase } from "./demo-timer.ts";
import { canMount } from "./run-program.ts";
import { verifyRestore, type RestoredDisk } from "./verify-restore.ts";

export interface DemoReport {
  readonly durationMs: number;
  readonly phases: readonly TimedPhase[];
  readonly points: readonly {
    readonly id: string;
    readonly coverage: string;
    readonly bytesRead: number;
    readonly bytesStored: number;
  }[];
  readonly restoredInstanceId: string;
  readonly labEndpoint: string;
  readonly applianceUrl: string;
}

/**
 * The whole story on real disks: lab, roles, check, backup, change, backup, restore, compare. Everything is below
 * `dataDir`; starting again with the same folder goes on with what is there.
 */
export async function runDemo(
  options: DemoOptions,
  context: CliContext,
  say: (line: string) => void,
): Promise<{ readonly report: DemoReport; readonly running: RunningDemo }> {
  const { signal } = context;
  const startedMs = context.clock.now();
  const timer = new DemoTimer(context.clock, say);
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const running = await setUpDemo({ ...options, dataDir }, context, timer);
  try {
    const { lab, api } = running;
    const first = await backUp({ api, timer, placement: options.placement, name: "back up" }, signal);
    const disks = await timer.run("write on the disks", () => changeDisks(lab, context));
    const second = await backUpChanges({ api, timer, placement: options.placement, disks }, signal);
    const restoredInstanceId = await restore(
      { api, timer, point: second, placement: options.placement },
      signal,
    );
    await timer.run("compare blocks and files", async () => {
      const toVerify = { lab, point: second, restoredInstanceId, disks: disks.map(restoredDisk) };
      const verified = await verifyRestore(toVerify, signal);
      const files = verified.reduce((sum, disk) => sum + disk.entries, 0);
      const synced = verified.reduce((sum, disk) => sum + disk.syncedFiles, 0);
      const size = formatSize(verified.reduce((sum, disk) => sum + disk.sizeBytes, 0));
      return [
        verified,
        `${size} and ${files} files equal, ${synced} of ${synced} fsynced files there`,
      ] as const;
    });
    const points = [first, second].map((point) => ({ id: point.id, ...totalsOf(point) }));
    const report = {
      durationMs: context.clock.now() - startedMs,
      phases: timer.phases,
      points,
      restoredInstanceId,
      labEndpoint: lab.endpoint,
      applianceUrl: running.appliance.ready.url,
    };
    return { report, running };
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
}

interface Backing {
  readonly api: ApiClient;
  readonly timer: DemoTimer;
  readonly placement: DemoOptions["placement"];
  readonly name: string;
}

async function backUp({ api, timer, placement, name }: Backing, signal: AbortSignal): Promise<Point> {
  return timer.run(name, async () => {
    const { items } = await api.call(
      "listResources",
      { query: { accountId: demoNames.productionAccount } },
      signal,
    );
    const resource = items.find((item) => item.name === demoNames.instance);
    if (resource === undefined)
      throw new GarrisonError("usage", `${demoNames.instance} is not in the inventory`);
    const run = await completeRun(api, { kind: "backup", resource: resource.arn, placement }, signal);
    const point = await api.call("readPoint", { params: { pointId: run.point ?? "" } }, signal);
    const { coverage, bytesRead, bytesStored } = totalsOf(point);
    return [point, `${coverage}, ${formatSize(bytesRead)} read, ${formatSize(bytesStored)} stored`] as const;
  });
}

interface OpenDisk extends ChangedDisk {
  readonly deviceName: string;
  readonly fileSystem: "ext4" | "btrfs";
}

const disksOfDemo = [
  { deviceName: demoNames.rootDevice, fileSystem: "ext4" },
  { deviceName: demoNames.dataDevice, fileSystem: "btrfs" },
] as const;

/** Writes on both disks and leaves them mounted, as a running server's are when its snapshot is taken. */
async function changeDisks(
  lab: DemoLab,
  context: CliContext,
): Promise<readonly [readonly OpenDisk[], string]> {
  const clients = lab.operatorClients(demoNames.productionAccount);
  try {
    const instances = await listInstances(clients, {}, { signal: context.signal });
    const volumes = instances.find(({ name }) => name === demoNames.instance)?.volumes ?? [];
    const open: OpenDisk[] = [];
    for (const disk of disksOfDemo) {
      const volumeId = volumes.find(({ deviceName }) => deviceName === disk.deviceName)?.volumeId ?? "";
      const changed = await changeDisk(
        { ...disk, file: await lab.volumeFile(volumeId, context.signal) },
        context,
      );
      open.push({ ...disk, ...changed });
    }
    return [open, open.some(({ isMounted }) => isMounted) ? "mounted and half-written" : "without mounting"];
  } finally {
    clients.close();
  }
}

async function changeDisk(
  disk: { readonly file: string; readonly fileSystem: "ext4" | "btrfs" },
  { random, signal }: CliContext,
): Promise<ChangedDisk> {
  if (canMount()) return changeMountedDisk(disk.file, random, signal);
  if (disk.fileSystem === "ext4") return changeUnmountedExt4(disk.file, random, signal);
  // Nothing in user space writes into Btrfs: without root this disk stays as it is.
  return { synced: new Map(), isMounted: false, [Symbol.asyncDispose]: async () => undefined };
}

async function backUpChanges(
  backing: Omit<Backing, "name"> & { readonly disks: readonly OpenDisk[] },
  signal: AbortSignal,
): Promise<Point> {
  try {
    return await backUp({ ...backing, name: "back up what changed" }, signal);
  } finally {
    for (const disk of backing.disks) await disk[Symbol.asyncDispose]();
  }
}

function restoredDisk({ deviceName, fileSystem, synced }: OpenDisk): RestoredDisk {
  return { deviceName, fileSystem, synced };
}

interface Restoring {
  readonly api: ApiClient;
  readonly timer: DemoTimer;
  readonly point: Point;
  readonly placement: DemoOptions["placement"];
}

async function restore({ api, timer, point, placement }: Restoring, signal: AbortSignal): Promise<string> {
  return timer.run("restore to a new instance", async () => {
    const request = {
      kind: "instance-restore",
      point: point.id,
      placement,
      name: demoNames.restoredInstance,
    } as const;
    const run = await completeRun(api, request, signal);
    const instanceId = run.result?.["instanceId"];
    if (typeof instanceId !== "string")
      throw new GarrisonError("demo-mismatch", `${run.id} names no restored instance`);
    return [instanceId, instanceId] as const;
  });
}

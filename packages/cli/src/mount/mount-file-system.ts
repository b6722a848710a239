import { GarrisonError } from "@garrison/core/garrison-error";
import { runTool } from "./run-tool.ts";
import type { AttachedDisk } from "./attach-disk.ts";

export interface FileSystemPlace {
  readonly disk: AttachedDisk;
  /** Where in the disk it lies. */
  readonly offset: number;
  readonly sizeBytes: number;
  readonly folder: string;
}

export interface MountedFileSystem {
  /** As blkid names it. */
  readonly type: string;
  unmount(): Promise<void>;
}

/** Nothing on the disk may become a device, a privilege or a program of this machine. */
const safety = ["ro", "nodev", "nosuid", "noexec"];

/**
 * Besides, by type: XFS refuses a second file system of one UUID, as a copy is. Journals are replayed: into the overlay,
 * below everything, never into the restore point.
 */
const extraOptions: Readonly<Record<string, readonly string[]>> = { xfs: ["nouuid"] };

/** Mounts what lies at a place of an attached disk, read-only. Throws `mount-failed`. */
export async function mountFileSystem(place: FileSystemPlace): Promise<MountedFileSystem> {
  const { disk, offset, sizeBytes, folder } = place;
  const range = ["--offset", String(offset), "--sizelimit", String(sizeBytes)];
  const device = await runTool("losetup", ["--find", "--show", ...range, disk.path]);
  try {
    const type = await findType(device);
    const options = [...safety, ...(extraOptions[type] ?? [])].join(",");
    await runTool("mount", ["-t", type, "-o", options, device, folder]);
    return {
      type,
      async unmount() {
        await runTool("umount", [folder]).catch(() => runTool("umount", ["--lazy", folder]));
        await runTool("losetup", ["--detach", device]);
      },
    };
  } catch (error) {
    await runTool("losetup", ["--detach", device]).catch(() => undefined);
    throw error;
  }
}

async function findType(device: string): Promise<string> {
  const type = await runTool("blkid", ["-p", "-o", "value", "-s", "TYPE", device]).catch(() => "");
  if (type === "LVM2_member") {
    throw new GarrisonError(
      "mount-failed",
      "this is an LVM physical volume; --raw gives the disk for LVM's own tools",
    );
  }
  if (type === "swap") throw new GarrisonError("mount-failed", "this is swap space, not a file system");
  if (type !== "") return type;
  throw new GarrisonError("mount-failed", "no file system is recognised here; choose another --partition");
}

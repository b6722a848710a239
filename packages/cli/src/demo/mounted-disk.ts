import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

/**
 * Mounts a disk image through a loop device. `commit=300` keeps the file system from writing a checkpoint behind our
 * back: what the image holds while mounted is what was fsynced, as on a server that loses power.
 */
export async function mountDisk(
  image: string,
  options: { readonly readOnly: boolean; readonly signal: AbortSignal },
): Promise<MountedDisk> {
  const folder = await mkdtemp(join(tmpdir(), "garrison-disk-"));
  const common = "loop,noatime,nodev,nosuid,noexec";
  // A journal that is open has to be replayed by the kernel first, into the image: hence writable, then read-only.
  await runProgram(
    "mount",
    ["-o", options.readOnly ? common : `${common},commit=300`, image, folder],
    options,
  );
  if (options.readOnly) await runProgram("mount", ["-o", "remount,ro", folder], options);
  return new MountedDisk(folder);
}

export class MountedDisk implements AsyncDisposable {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await runProgram("umount", [this.folder], { signal: new AbortController().signal });
    await rmdir(this.folder);
  }
}

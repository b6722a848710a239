import type { FileHandle } from "node:fs/promises";

/** A device says its size only by where reading ends. */
export async function readDeviceSize(file: FileHandle): Promise<number> {
  const probe = Buffer.allocUnsafe(512);
  let [low, high] = [0, 2 ** 47];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const { bytesRead } = await file.read(probe, 0, 512, (middle - 1) * 512).catch(() => ({ bytesRead: 0 }));
    if (bytesRead > 0) low = middle;
    else high = middle - 1;
  }
  return low * 512;
}

import { mkdir } from "node:fs/promises";
import { GarrisonError } from "@garrison/core/garrison-error";

/** The folder of a program's data, made when it isn't there; only its owner may look into a new one. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new GarrisonError("usage", `the folder ${folder} can't be made`, { cause });
  }
}

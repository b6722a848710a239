import { join } from "node:path";
import { SnapshotStore } from "./snapshot-store.ts";
import { VolumeFiles } from "./volume-files.ts";

/** Everything block-shaped that the lab keeps, in one folder. */
export interface Disks {
  readonly volumes: VolumeFiles;
  readonly snapshots: SnapshotStore;
}

export async function openDisks(folder: string): Promise<Disks> {
  return {
    volumes: new VolumeFiles(join(folder, "volumes")),
    snapshots: await SnapshotStore.open(folder),
  };
}

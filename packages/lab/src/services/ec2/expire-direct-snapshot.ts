import type { Lab } from "../../lab.ts";
import { removeSnapshot } from "./snapshots/make-snapshot.ts";

/** A snapshot that is written through the direct API and was forgotten is cancelled. */
export async function expireDirectSnapshot(lab: Lab, snapshotId: string): Promise<void> {
  const snapshot = lab.ec2.tables.snapshots.get(snapshotId);
  if (snapshot?.state !== "pending" || snapshot.direct === undefined) return;
  const idleUntilMs = snapshot.direct.lastWriteAtMs + snapshot.direct.timeoutMinutes * 60_000;
  const leftMs = idleUntilMs - lab.clock.now();
  if (leftMs > 0) lab.ec2.later(leftMs, () => expireDirectSnapshot(lab, snapshotId));
  else await removeSnapshot(lab, snapshotId);
}

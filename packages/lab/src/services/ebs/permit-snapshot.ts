import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { ec2Arn } from "../ec2/shared/resource-access.ts";
import type { SnapshotRecord } from "../ec2/snapshots/snapshot-record.ts";
import { findVolumeKeyRecord, mayUseKey } from "../ec2/volumes/volume-key.ts";
import { keyAccess } from "../kms/find-key.ts";
import { dependencyDenied, snapshotNotFound, validation } from "./ebs-errors.ts";

/**
 * Whether the caller may do this to the snapshot. The resource is the snapshot's ARN, which has no account in it; the
 * account that counts is the owner's, so an identity policy of another account alone never suffices. A snapshot that
 * doesn't exist is refused before it is missing, unless the caller may ask for any.
 */
export function permitSnapshot(call: Call, action: string, snapshotId: string | undefined): SnapshotRecord {
  const id = snapshotId ?? "";
  const record = call.lab.ec2.tables.snapshots.get(id);
  const snapshot = record?.region === call.region ? record : undefined;
  call.authorize({
    action,
    resources: [
      {
        arn: ec2Arn(call, { path: `snapshot/${id}` }),
        accountId: snapshot?.accountId ?? call.accountId,
        tags: snapshot?.tags ?? {},
      },
    ],
  });
  if (!/^snap-[0-9a-f]{1,59}$/.test(id)) throw validation(undefined, `The snapshot id '${id}' is not valid.`);
  if (snapshot === undefined) throw snapshotNotFound(id);
  if (snapshot.accountId !== call.accountId) {
    throw new AwsError("AccessDeniedException", "The snapshot belongs to another account.", {
      status: 403,
      members: { Reason: "UNAUTHORIZED_ACCOUNT" },
    });
  }
  return snapshot;
}

/** Encrypted snapshots are read and written with the caller's own rights on the key, by way of EC2. */
export function permitKey(
  call: Call,
  snapshot: Pick<SnapshotRecord, "encrypted" | "kmsKeyId">,
  action: string,
): void {
  if (!snapshot.encrypted) return;
  const record = findVolumeKeyRecord(call, snapshot.kmsKeyId);
  if (record.state !== "Enabled") {
    throw validation("INVALID_CUSTOMER_KEY", `The key ${record.arn} is in the state ${record.state}.`);
  }
  if (mayUseKey(call, keyAccess(call.lab, record), action)) return;
  throw dependencyDenied(`The caller is not allowed ${action} on the key ${record.arn} of the snapshot.`);
}

export function checkReadable(snapshot: SnapshotRecord): void {
  if (snapshot.state === "completed") return;
  throw validation(
    "INVALID_SNAPSHOT_ID",
    `The snapshot '${snapshot.snapshotId}' is in the '${snapshot.state}' state; only completed ones can be read.`,
  );
}

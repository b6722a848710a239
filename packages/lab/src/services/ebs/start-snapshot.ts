import type { StartSnapshotCommandInput, StartSnapshotCommandOutput } from "@aws-sdk/client-ebs";
import { createHash } from "node:crypto";
import { blockBytes } from "../../disks/disk-blocks.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { expireDirectSnapshot } from "../ec2/expire-direct-snapshot.ts";
import { newResourceId } from "../ec2/shared/new-resource-id.ts";
import { ownedRecords } from "../ec2/shared/owned-records.ts";
import { ec2Arn } from "../ec2/shared/resource-access.ts";
import { noVolumeId, type SnapshotRecord } from "../ec2/snapshots/snapshot-record.ts";
import { requestTagContext, type Tags } from "../ec2/tags/tag-specifications.ts";
import { chooseEncryption, type Encryption } from "../ec2/volumes/ebs-encryption.ts";
import { conflict, snapshotNotFound, validation } from "./ebs-errors.ts";
import { checkReadable, permitKey } from "./permit-snapshot.ts";
import { drawAccountQuota } from "./quotas.ts";

const minuteMs = 60_000;
const largestGiB = 65_536;

/** Begins a snapshot that is written block by block; nobody's volume is involved. */
export async function startSnapshot(input: StartSnapshotCommandInput, call: Call): Promise<object> {
  const { lab } = call;
  const { tables, settings, disks } = lab.ec2;
  const tags = readTags(input);
  const parent =
    input.ParentSnapshotId === undefined ? undefined : tables.snapshots.get(input.ParentSnapshotId);
  authorizeStart(call, input, tags);
  checkStart(input);
  drawAccountQuota(call, "StartSnapshot", settings.startSnapshotPerAccount);
  if (input.ParentSnapshotId !== undefined) checkParent(call, input, parent);
  const token = openToken(call, input);
  const earlier = token.earlierId === undefined ? undefined : tables.snapshots.get(token.earlierId);
  if (earlier !== undefined) return formatStarted(earlier);
  checkPendingCount(call);
  const encryption = chooseWriteEncryption(call, input, parent);
  const snapshotId = newResourceId(lab.random, "snap");
  const record: SnapshotRecord = {
    snapshotId,
    accountId: call.accountId,
    region: call.region,
    volumeId: noVolumeId,
    lineage: parent?.lineage ?? snapshotId,
    sizeGiB: input.VolumeSize!,
    state: "pending",
    startedAtMs: lab.clock.now(),
    description: input.Description ?? "",
    ...encryption,
    tags,
    direct: {
      ...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
      timeoutMinutes: input.Timeout ?? 60,
      lastWriteAtMs: lab.clock.now(),
    },
  };
  await disks.snapshots.begin(snapshotId);
  tables.snapshots.put(snapshotId, record);
  token.remember(snapshotId);
  lab.ec2.later(record.direct!.timeoutMinutes * minuteMs, () => expireDirectSnapshot(lab, snapshotId));
  return formatStarted(record);
}

function authorizeStart(call: Call, input: StartSnapshotCommandInput, tags: Tags): void {
  const created = { arn: ec2Arn(call, { path: "snapshot/*" }), accountId: call.accountId };
  call.authorize({
    action: "ebs:StartSnapshot",
    resources: [created],
    context: {
      "ebs:VolumeSize": String(input.VolumeSize ?? 0),
      ...(input.Description === undefined ? {} : { "ebs:Description": input.Description }),
      ...(input.ParentSnapshotId === undefined
        ? {}
        : { "ebs:ParentSnapshot": ec2Arn(call, { path: `snapshot/${input.ParentSnapshotId}` }) }),
      ...requestTagContext(tags),
    },
  });
  if (Object.keys(tags).length === 0) return;
  call.authorize({
    action: "ec2:CreateTags",
    resources: [created],
    context: { "ec2:CreateAction": "StartSnapshot", "ec2:Region": call.region, ...requestTagContext(tags) },
  });
}

function checkStart(input: StartSnapshotCommandInput): void {
  const size = input.VolumeSize ?? 0;
  if (size < 1 || size > largestGiB)
    throw validation("INVALID_VOLUME_SIZE", `VolumeSize must be between 1 and ${largestGiB} GiB.`);
  const timeout = input.Timeout ?? 60;
  if (timeout < 10 || timeout > 4320)
    throw validation(undefined, "Timeout must be between 10 and 4320 minutes.");
  if ((input.ClientToken?.length ?? 0) > 255)
    throw validation(undefined, "ClientToken must not be longer than 255 characters.");
  if (input.ParentSnapshotId !== undefined && input.Encrypted !== undefined) {
    throw validation(undefined, "Encrypted and ParentSnapshotId can't be specified together.");
  }
  if (input.ParentSnapshotId !== undefined && input.KmsKeyArn !== undefined) {
    throw validation(undefined, "KmsKeyArn and ParentSnapshotId can't be specified together.");
  }
  if (input.KmsKeyArn !== undefined && input.Encrypted !== true) {
    throw validation(undefined, "KmsKeyArn can only be specified when Encrypted is true.");
  }
}

function checkParent(call: Call, input: StartSnapshotCommandInput, parent: SnapshotRecord | undefined): void {
  if (parent === undefined || parent.region !== call.region || parent.accountId !== call.accountId) {
    throw snapshotNotFound(input.ParentSnapshotId!);
  }
  checkReadable(parent);
  if (input.VolumeSize! < parent.sizeGiB)
    throw validation(
      "INVALID_VOLUME_SIZE",
      `VolumeSize must be at least the parent's, ${parent.sizeGiB} GiB.`,
    );
}

/** With encryption by default in the account, an unencrypted snapshot can't be made, nor one upon an unencrypted parent. */
function chooseWriteEncryption(
  call: Call,
  input: StartSnapshotCommandInput,
  parent: SnapshotRecord | undefined,
): Encryption {
  const byDefault =
    call.lab.ec2.tables.ebsEncryption.get(`${call.accountId}/${call.region}`)?.enabled === true;
  if (byDefault && (input.Encrypted === false || parent?.encrypted === false)) {
    throw validation(
      undefined,
      "The account encrypts all new snapshots: an unencrypted one, or an unencrypted parent, is not accepted.",
    );
  }
  const wish = { Encrypted: input.Encrypted, KmsKeyId: input.KmsKeyArn };
  const encryption =
    parent?.encrypted === true
      ? { encrypted: true, kmsKeyId: parent.kmsKeyId! }
      : chooseEncryption(call, wish, undefined);
  for (const action of ["kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant"])
    permitKey(call, encryption, action);
  return encryption;
}

function checkPendingCount(call: Call): void {
  const pending = ownedRecords(call, call.lab.ec2.tables.snapshots.values()).filter(
    (snapshot) => snapshot.state === "pending" && snapshot.direct !== undefined,
  );
  if (pending.length < call.lab.ec2.settings.pendingSnapshotsLimit) return;
  throw new AwsError("ConcurrentLimitExceededException", "The account has too many pending snapshots.", {
    status: 400,
  });
}

function readTags(input: StartSnapshotCommandInput): Tags {
  const tags: Record<string, string> = {};
  for (const { Key: key = "", Value: value = "" } of input.Tags ?? []) {
    if (key === "" || key.length > 127 || value.length > 255)
      throw validation("INVALID_TAG", `The tag '${key}' is not valid.`);
    if (key.toLowerCase().startsWith("aws:"))
      throw validation("INVALID_TAG", "Tag keys starting with 'aws:' are reserved.");
    if (key in tags) throw validation("INVALID_TAG", `The tag key '${key}' is given twice.`);
    tags[key] = value;
  }
  if (Object.keys(tags).length > 50) throw validation("INVALID_TAG", "A snapshot can have at most 50 tags.");
  return tags;
}

function openToken(call: Call, input: StartSnapshotCommandInput) {
  const { clientTokens } = call.lab.ec2.tables;
  const key = `${call.accountId}/${call.region}/StartSnapshot/${input.ClientToken ?? ""}`;
  const inputDigest = createHash("sha256").update(JSON.stringify(input)).digest("hex");
  const known = input.ClientToken === undefined ? undefined : clientTokens.get(key);
  if (known !== undefined && known.inputDigest !== inputDigest) {
    throw conflict("The client token was used before with other parameters.");
  }
  return {
    earlierId: known?.ids[0],
    remember(snapshotId: string): void {
      if (input.ClientToken !== undefined) clientTokens.put(key, { inputDigest, ids: [snapshotId] });
    },
  };
}

function formatStarted(snapshot: SnapshotRecord): Omit<StartSnapshotCommandOutput, "$metadata"> {
  return {
    SnapshotId: snapshot.snapshotId,
    Description: snapshot.description === "" ? undefined : snapshot.description,
    OwnerId: snapshot.accountId,
    Status: snapshot.state,
    StartTime: new Date(snapshot.startedAtMs),
    VolumeSize: snapshot.sizeGiB,
    BlockSize: blockBytes,
    ParentSnapshotId: snapshot.direct?.parentSnapshotId,
    KmsKeyArn: snapshot.kmsKeyId,
    SseType: snapshot.encrypted ? "sse-kms" : "none",
    Tags: Object.entries(snapshot.tags).map(([Key, Value]) => ({ Key, Value })),
  };
}

import type {
  GetObjectAttributesCommandInput,
  GetObjectTaggingCommandInput,
  PutObjectLegalHoldCommandInput,
  PutObjectRetentionCommandInput,
  PutObjectTaggingCommandInput,
} from "@aws-sdk/client-s3";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call, Operation } from "../../wire/operation-handler.ts";
import { checksumMembers, findPermitted } from "./get-object.ts";
import { checkRetention, checkTags, shownVersionId } from "./new-version.ts";
import { openVersion, replaceVersion, type OpenVersion, type VersionInput } from "./open-version.ts";
import type { ObjectRetention } from "./object-record.ts";
import { onObject, openBucket, retentionContext, type ObjectAction } from "./s3-access.ts";
import { accessDenied, invalidRequest } from "./s3-error.ts";

async function putObjectTagging(input: PutObjectTaggingCommandInput, call: Call) {
  const open = await openVersion(input, call, "s3:PutObjectTagging");
  const pairs = (input.Tagging?.TagSet ?? []).map(({ Key = "", Value = "" }) => [Key, Value] as const);
  return replaceVersion(open, { ...open.version, tags: checkTags(pairs) });
}

async function getObjectTagging(input: GetObjectTaggingCommandInput, call: Call) {
  const { at, version } = await openVersion(input, call, "s3:GetObjectTagging");
  return {
    VersionId: shownVersionId(at.bucket, version.versionId),
    TagSet: Object.entries(version.tags).map(([Key, Value]) => ({ Key, Value })),
  };
}

async function deleteObjectTagging(input: VersionInput, call: Call) {
  const open = await openVersion(input, call, "s3:DeleteObjectTagging");
  return replaceVersion(open, { ...open.version, tags: {} });
}

async function putObjectRetention(input: PutObjectRetentionCommandInput, call: Call) {
  const { Mode, RetainUntilDate } = input.Retention ?? {};
  const until = RetainUntilDate?.toISOString();
  const context = {
    ...(Mode === undefined ? {} : { "s3:object-lock-mode": Mode }),
    ...(until === undefined ? {} : { "s3:object-lock-retain-until-date": until }),
    ...retentionContext(call, until),
  };
  const open = await openLocked(input, call, { action: "s3:PutObjectRetention", context });
  const next = Mode === undefined ? undefined : checkRetention(Mode, RetainUntilDate, call.lab.clock.now());
  checkStronger(open, next, input.BypassGovernanceRetention ?? false);
  await replaceVersion(open, { ...open.version, retention: next });
  return {};
}

async function getObjectRetention(input: VersionInput, call: Call) {
  const { version } = await openLocked(input, call, { action: "s3:GetObjectRetention" });
  if (version.retention === undefined) throw noLockConfiguration();
  return {
    Retention: { Mode: version.retention.mode, RetainUntilDate: new Date(version.retention.untilMs) },
  };
}

async function putObjectLegalHold(input: PutObjectLegalHoldCommandInput, call: Call) {
  const open = await openLocked(input, call, { action: "s3:PutObjectLegalHold" });
  await replaceVersion(open, { ...open.version, legalHold: input.LegalHold?.Status === "ON" });
  return {};
}

async function getObjectLegalHold(input: VersionInput, call: Call) {
  const { version } = await openLocked(input, call, { action: "s3:GetObjectLegalHold" });
  if (version.legalHold === undefined) throw noLockConfiguration();
  return { LegalHold: { Status: version.legalHold ? "ON" : "OFF" } };
}

// Lock actions have no ...Version twin: one action for the current and for a named version.
async function openLocked(
  input: VersionInput,
  call: Call,
  right: Pick<ObjectAction, "action" | "context">,
): Promise<OpenVersion> {
  const at = await openBucket(input, call);
  if (at.bucket.objectLock === undefined) throw invalidRequest("Bucket is missing Object Lock Configuration");
  return { at, key: input.Key ?? "", version: findPermitted(at, input, right) };
}

function checkStronger(open: OpenVersion, next: ObjectRetention | undefined, bypass: boolean): void {
  const { at, key, version } = open;
  const now = version.retention;
  if (now === undefined || now.untilMs <= at.call.lab.clock.now()) return;
  const prolonged = next !== undefined && next.untilMs >= now.untilMs;
  if (prolonged && (now.mode === next.mode || next.mode === "COMPLIANCE")) return;
  if (now.mode === "COMPLIANCE" || !bypass)
    throw accessDenied("Access Denied because object protected by object lock.");
  at.call.authorize(onObject(at, { action: "s3:BypassGovernanceRetention", key, version }));
}

async function getObjectAttributes(input: GetObjectAttributesCommandInput, call: Call) {
  const { at, key, version } = await openVersion(input, call, "s3:GetObject");
  call.authorize(onObject(at, { action: "s3:GetObjectAttributes", key, version }));
  const wanted = new Set<string>(input.ObjectAttributes ?? []);
  return {
    LastModified: new Date(version.modifiedMs),
    VersionId: shownVersionId(at.bucket, version.versionId),
    ...(wanted.has("ETag") ? { ETag: version.etag.replaceAll('"', "") } : {}),
    ...(wanted.has("ObjectSize") ? { ObjectSize: version.sizeBytes } : {}),
    ...(wanted.has("StorageClass") ? { StorageClass: version.storageClass } : {}),
    ...(wanted.has("Checksum") ? { Checksum: checksumMembers(version) } : {}),
    ...(wanted.has("ObjectParts") && version.parts
      ? { ObjectParts: { TotalPartsCount: version.parts.length } }
      : {}),
  };
}

function noLockConfiguration(): AwsError {
  return new AwsError(
    "NoSuchObjectLockConfiguration",
    "The specified object does not have a ObjectLock configuration",
    { status: 404 },
  );
}

export const objectSettingOperations: Readonly<Record<string, Operation>> = {
  PutObjectTagging: putObjectTagging,
  GetObjectTagging: getObjectTagging,
  DeleteObjectTagging: deleteObjectTagging,
  PutObjectRetention: putObjectRetention,
  GetObjectRetention: getObjectRetention,
  PutObjectLegalHold: putObjectLegalHold,
  GetObjectLegalHold: getObjectLegalHold,
  GetObjectAttributes: getObjectAttributes,
};

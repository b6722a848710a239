import {
  GetObjectRetentionCommand,
  PutObjectRetentionCommand,
  type ObjectLockRetentionMode,
} from "@aws-sdk/client-s3";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { LockMode, Retention, StoreCall, VersionName } from "@garrison/repository/store/object-store";
import { objectAt, type S3Place } from "./s3-place.ts";
import { storeError } from "./s3-store-error.ts";
import { awsErrorCode } from "./translate-aws-error.ts";

export const s3LockModes: Readonly<Record<LockMode, ObjectLockRetentionMode>> = {
  governance: "GOVERNANCE",
  compliance: "COMPLIANCE",
};

const withoutLock = new Set(["NoSuchObjectLockConfiguration", "InvalidRequest", "MethodNotAllowed"]);

export async function readRetention(
  place: S3Place,
  version: VersionName,
  call: StoreCall,
): Promise<Retention | undefined> {
  const { key, versionId: VersionId } = version;
  const command = new GetObjectRetentionCommand({ ...objectAt(place, key), VersionId });
  try {
    const { Retention: found } = await place.s3.send(command, { abortSignal: call.signal });
    const untilMs = found?.RetainUntilDate?.getTime();
    if (untilMs === undefined) return undefined;
    return { mode: found?.Mode === "COMPLIANCE" ? "compliance" : "governance", untilMs };
  } catch (error) {
    if (withoutLock.has(awsErrorCode(error) ?? "")) return undefined;
    throw storeError(error, `reading the lock of ${place.address}${key}`);
  }
}

interface WantedLock {
  readonly version: VersionName;
  readonly retention: Retention;
}

/** One call, unless it is refused: then because the lock is as long already, or of the other mode. */
export async function extendRetention(place: S3Place, wanted: WantedLock, call: StoreCall): Promise<void> {
  const { version, retention } = wanted;
  try {
    await putRetention(place, wanted, call);
  } catch (refused) {
    if (!isGarrisonError(refused, "store-access-denied")) throw refused;
    const found = await readRetention(place, version, call);
    if (found !== undefined && found.untilMs >= retention.untilMs) return;
    if (found === undefined || found.mode === retention.mode) throw refused;
    await putRetention(place, { version, retention: { ...retention, mode: found.mode } }, call);
  }
}

async function putRetention(
  place: S3Place,
  { version, retention }: WantedLock,
  call: StoreCall,
): Promise<void> {
  const { key, versionId: VersionId } = version;
  const command = new PutObjectRetentionCommand({
    ...objectAt(place, key),
    VersionId,
    Retention: { Mode: s3LockModes[retention.mode], RetainUntilDate: new Date(retention.untilMs) },
  });
  await place.s3.send(command, { abortSignal: call.signal }).catch((error: unknown) => {
    throw storeError(error, `prolonging the lock of ${place.address}${key}`);
  });
}

/**
 * The lock that made S3 refuse a deletion, or nothing: it refuses what is locked as it refuses what isn't allowed. The
 * lock's date tells them apart, held against the time of S3's own answer.
 */
export async function findLock(
  place: S3Place,
  { version, refused }: { readonly version: VersionName; readonly refused: GarrisonError },
  call: StoreCall,
): Promise<GarrisonError | undefined> {
  const retention = await readRetention(place, version, call).catch((error: unknown) => {
    if (isGarrisonError(error, "store-access-denied")) return undefined;
    throw error;
  });
  if (retention === undefined || retention.untilMs <= answeredAtMs(refused.cause)) return undefined;
  const until = new Date(retention.untilMs).toISOString();
  return new GarrisonError("object-locked", `${place.address}${version.key} is locked until ${until}`, {
    cause: refused,
    details: { versionId: version.versionId, untilMs: retention.untilMs },
  });
}

/** When S3 gave an answer, by its own clock. */
function answeredAtMs(error: unknown): number {
  const response = (error as { readonly $response?: { readonly headers?: Readonly<Record<string, string>> } })
    .$response;
  const time = Date.parse(response?.headers?.["date"] ?? "");
  return Number.isNaN(time) ? 0 : time;
}

import { GetBucketVersioningCommand, GetObjectLockConfigurationCommand } from "@aws-sdk/client-s3";
import type { Clock } from "@garrison/core/clock";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { retry } from "@garrison/core/retry";
import type { LockMode, StoreCall } from "@garrison/repository/store/object-store";
import type { DataClients } from "./data-clients.ts";
import type { S3Versioning } from "./s3-object-store.ts";
import { storeError } from "./s3-store-error.ts";
import { awsErrorCode } from "./translate-aws-error.ts";

export interface ProtectionDependencies {
  readonly clients: Pick<DataClients, "s3">;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a bucket keeps. `isKnown` is false where the caller may not ask: it is then taken for a bucket without versions. */
export interface BucketProtection {
  readonly isKnown: boolean;
  readonly versions?: S3Versioning;
}

/**
 * Asks a bucket whether it keeps versions (or has kept any) and whether it has Object Lock. The mode of its default
 * retention is the mode of ours; without a default it is governance, which an administrator can undo. Needs
 * `s3:GetBucketVersioning` and `s3:GetBucketObjectLockConfiguration`.
 */
export async function readBucketProtection(
  dependencies: ProtectionDependencies,
  bucket: string,
  call: StoreCall,
): Promise<BucketProtection> {
  try {
    const [isVersioned, lockMode] = await Promise.all([
      retry(dependencies, call, () => readVersioning(dependencies, bucket, call)),
      retry(dependencies, call, () => readLockMode(dependencies, bucket, call)),
    ]);
    if (!isVersioned) return { isKnown: true };
    return { isKnown: true, versions: lockMode === undefined ? {} : { lockMode } };
  } catch (error) {
    if (isGarrisonError(error, "store-access-denied")) return { isKnown: false };
    throw error;
  }
}

/** Stores that only resemble S3 may not know the question; then they have no such thing. */
const unknown = new Set(["NotImplemented", "MethodNotAllowed"]);

async function readVersioning(
  { clients }: ProtectionDependencies,
  bucket: string,
  call: StoreCall,
): Promise<boolean> {
  try {
    const command = new GetBucketVersioningCommand({ Bucket: bucket });
    const { Status: status } = await clients.s3().send(command, { abortSignal: call.signal });
    // What was kept before a suspension is still there.
    return status !== undefined;
  } catch (error) {
    if (unknown.has(awsErrorCode(error) ?? "")) return false;
    throw storeError(error, `asking whether ${bucket} keeps versions`);
  }
}

async function readLockMode(
  { clients }: ProtectionDependencies,
  bucket: string,
  call: StoreCall,
): Promise<LockMode | undefined> {
  try {
    const command = new GetObjectLockConfigurationCommand({ Bucket: bucket });
    const answer = await clients.s3().send(command, { abortSignal: call.signal });
    const configuration = answer.ObjectLockConfiguration;
    if (configuration?.ObjectLockEnabled !== "Enabled") return undefined;
    return configuration.Rule?.DefaultRetention?.Mode === "COMPLIANCE" ? "compliance" : "governance";
  } catch (error) {
    const code = awsErrorCode(error) ?? "";
    if (code === "ObjectLockConfigurationNotFoundError" || unknown.has(code)) return undefined;
    throw storeError(error, `asking for the Object Lock of ${bucket}`);
  }
}

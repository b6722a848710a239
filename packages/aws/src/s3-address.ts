import { GarrisonError } from "@garrison/core/garrison-error";
import type { LockMode } from "@garrison/repository/store/object-store";

export interface S3Address {
  readonly bucket: string;
  /** Without leading or trailing slash; may be empty. */
  readonly prefix: string;
  readonly region?: string;
  readonly endpoint?: string;
  /** The mode of the locks that are asked for; absent: that of the bucket's default retention, or governance. */
  readonly lockMode?: LockMode;
}

const optionNames = ["region", "endpoint", "lock"];

/** Reads `s3://bucket/prefix[?region=...&endpoint=...&lock=governance|compliance]`. */
export function parseS3Address(address: string): S3Address {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "s3:" || url.hostname === "") {
    throw new GarrisonError("address-invalid", `${address} is not s3://bucket/prefix`);
  }
  const unknown = [...url.searchParams.keys()].filter((key) => !optionNames.includes(key));
  if (unknown.length > 0)
    throw new GarrisonError("address-invalid", `${address} has an unknown option: ${unknown.join(", ")}`);
  const lockMode = url.searchParams.get("lock") ?? undefined;
  if (lockMode !== undefined && lockMode !== "governance" && lockMode !== "compliance")
    throw new GarrisonError("address-invalid", `${address}: lock is governance or compliance`);
  return {
    bucket: url.hostname,
    prefix: decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, ""),
    region: url.searchParams.get("region") ?? undefined,
    endpoint: url.searchParams.get("endpoint") ?? undefined,
    ...(lockMode === undefined ? {} : { lockMode }),
  };
}

export function formatS3Address(address: S3Address): string {
  const options = new URLSearchParams();
  if (address.region !== undefined) options.set("region", address.region);
  if (address.endpoint !== undefined) options.set("endpoint", address.endpoint);
  if (address.lockMode !== undefined) options.set("lock", address.lockMode);
  const tail = options.size > 0 ? `?${options.toString()}` : "";
  return `s3://${address.bucket}${address.prefix === "" ? "" : `/${address.prefix}`}${tail}`;
}

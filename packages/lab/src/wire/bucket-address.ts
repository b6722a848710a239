/** Where an S3 request names its bucket: in the host (`bucket.localhost`), or as the first part of the path. */
export interface BucketAddress {
  /** Empty when the request names none (ListBuckets). */
  readonly bucket: string;
  /** The path without the bucket, undecoded. */
  readonly path: string;
}

const ownHost = /^(?:localhost|(?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:]+\]|s3[.-][a-z0-9.-]+|s3\.localhost)$/i;
const hostedBucket =
  /^(.+?)\.(?:s3[.-][a-z0-9.-]*amazonaws\.com(?:\.cn)?|s3\.localhost|localhost|(?:\d{1,3}\.){3}\d{1,3})$/i;

export function readBucketAddress(hostHeader: string, rawPath: string): BucketAddress {
  const host = hostHeader.replace(/:\d+$/, "");
  const hosted = ownHost.test(host) ? null : hostedBucket.exec(host);
  if (hosted !== null) return { bucket: hosted[1]!, path: rawPath };
  const end = rawPath.indexOf("/", 1);
  const first = end < 0 ? rawPath.slice(1) : rawPath.slice(1, end);
  return { bucket: decodeURIComponent(first), path: end < 0 ? "/" : rawPath.slice(end) };
}

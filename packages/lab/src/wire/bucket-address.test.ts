import { expect, test } from "vitest";
import { readBucketAddress } from "./bucket-address.ts";

test.each([
  ["127.0.0.1:4566", "/", { bucket: "", path: "/" }],
  ["127.0.0.1:4566", "/bucket", { bucket: "bucket", path: "/" }],
  ["127.0.0.1:4566", "/bucket/a/b%20c", { bucket: "bucket", path: "/a/b%20c" }],
  ["localhost", "/bucket//double", { bucket: "bucket", path: "//double" }],
  ["my.bucket.localhost:4566", "/key", { bucket: "my.bucket", path: "/key" }],
  ["bucket.127.0.0.1:4566", "/key", { bucket: "bucket", path: "/key" }],
  ["bucket.s3.eu-central-1.amazonaws.com", "/key", { bucket: "bucket", path: "/key" }],
  ["s3.eu-central-1.amazonaws.com", "/bucket/key", { bucket: "bucket", path: "/key" }],
])("%s%s", (host, path, address) => {
  expect(readBucketAddress(host, path)).toEqual(address);
});

import { expect, test } from "vitest";
import { formatS3Address, parseS3Address } from "./s3-address.ts";

test("an address names bucket, prefix and where the bucket is", () => {
  expect(
    parseS3Address("s3://backups/garrison/main?region=eu-central-1&endpoint=http://127.0.0.1:4566"),
  ).toEqual({
    bucket: "backups",
    prefix: "garrison/main",
    region: "eu-central-1",
    endpoint: "http://127.0.0.1:4566",
  });
});

test("writing an address and reading it gives the same", () => {
  const address = { bucket: "b", prefix: "", region: "eu-central-1", endpoint: undefined };
  expect(parseS3Address(formatS3Address(address))).toEqual(address);
});

test("an address may name the mode of locks", () => {
  const address = parseS3Address("s3://b/p?lock=compliance");
  expect(address.lockMode).toBe("compliance");
  expect(parseS3Address(formatS3Address(address))).toEqual(address);
});

test.each(["s3://b/p?lock=forever", "s3://", "http://bucket/x", "bucket", "s3://bucket/x?colour=red"])(
  "%s is refused by name",
  (address) => {
    expect(() => parseS3Address(address)).toThrow(expect.objectContaining({ code: "address-invalid" }));
  },
);

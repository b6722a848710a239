import { hash } from "node:crypto";
import { HttpRequest } from "@smithy/core/protocols";
import { Sha256 } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalQuery, emptyPayloadHash, openRequestSigner, percentCode } from "./request-signer.ts";

const region = "eu-central-1";
const service = "ebs";
const text = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_.~!'()*&=+/?#% äß漢:;,@"), maxLength: 20 });
const headerName = fc.constantFrom(
  "content-type",
  "x-amz-checksum",
  "x-amz-data-length",
  "accept",
  "x-amz-meta-a",
);
const headerValue = fc.string({ unit: fc.constantFrom(..."aZ09 \t+/=-"), minLength: 1, maxLength: 20 });
const hexDigest = fc.string({ maxLength: 8 }).map((body) => hash("sha256", body));

const request = fc.record({
  method: fc.constantFrom("GET", "PUT", "POST"),
  segments: fc.array(fc.oneof(text, fc.constantFrom(".", "..", "")), { maxLength: 6 }),
  query: fc.dictionary(fc.oneof(text, fc.constantFrom("a", "a-b", "a.b", "A")), text, { maxKeys: 5 }),
  headers: fc.dictionary(headerName, headerValue, { maxKeys: 5 }),
  payloadHash: hexDigest,
});
const credentials = fc.record(
  { accessKeyId: fc.stringMatching(/^AKIA[A-Z0-9]{16}$/), secretAccessKey: text, sessionToken: headerValue },
  { requiredKeys: ["accessKeyId", "secretAccessKey"] },
);
const moment = fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2099, 0) });

test("requests are signed as the SDK signs them", async () => {
  const ours = openRequestSigner({ region, service });
  const agree = fc.asyncProperty(request, credentials, moment, async (given, identity, atMs) => {
    const { method, payloadHash, query } = given;
    const path = `/${given.segments.map(percentCode).join("/")}`;
    const host = "ebs.eu-central-1.amazonaws.com";
    const headers = { ...given.headers, host, "x-amz-content-sha256": payloadHash };
    const theirs = new SignatureV4({ region, service, sha256: Sha256, credentials: identity });
    const toSign = new HttpRequest({
      method,
      path,
      query: { ...query },
      headers: { ...headers },
    });
    const signed = await theirs.sign(toSign, { signingDate: new Date(atMs) });
    const own = ours.sign(
      { method, path, query: canonicalQuery(query), headers, payloadHash },
      identity,
      atMs,
    );
    expect(own["authorization"]).toBe(signed.headers["authorization"]);
    expect(own["x-amz-date"]).toBe(signed.headers["x-amz-date"]);
    expect(own["x-amz-security-token"]).toBe(signed.headers["x-amz-security-token"]);
  });
  await fc.assert(agree, { numRuns: 1000, seed: 4 });
});

/** AWS's published suite for Signature Version 4, as far as it is about what we send. */
const published = [
  {
    name: "get-vanilla",
    signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  },
  {
    name: "get-vanilla-query-order-key-case",
    parameters: { Param2: "value2", Param1: "value1" },
    signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  },
  {
    name: "get-unreserved",
    path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
  },
  {
    name: "get-slash-dot-slash",
    path: "/./",
    signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  },
  {
    name: "post-vanilla",
    method: "POST",
    signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  },
];

test.each(published)("AWS's example $name has the signature that AWS gives", (example) => {
  const { method = "GET", path = "/", parameters = {}, signature } = example;
  const signed = openRequestSigner({ region: "us-east-1", service: "service" }).sign(
    {
      method,
      path,
      query: canonicalQuery({ ...parameters }),
      headers: { host: "example.amazonaws.com" },
      payloadHash: emptyPayloadHash,
    },
    { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
    Date.UTC(2015, 7, 30, 12, 36),
  );
  expect(signed["authorization"]).toBe(
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
      `SignedHeaders=host;x-amz-date, Signature=${signature}`,
  );
});

test("a new day, and a new secret, have keys of their own", () => {
  const signer = openRequestSigner({ region, service });
  const sign = (secretAccessKey: string, day: number) =>
    signer.sign(
      { method: "GET", path: "/", query: "", headers: { host: "h" }, payloadHash: emptyPayloadHash },
      { accessKeyId: "AKIDEXAMPLE", secretAccessKey },
      Date.UTC(2026, 0, day),
    )["authorization"];
  const signatures = [sign("one", 1), sign("one", 2), sign("two", 2), sign("one", 2)];
  expect(new Set(signatures).size).toBe(3);
  expect(signatures[3]).toBe(signatures[1]);
});

test("nothing of a block token gets out of its parameter", () => {
  const odd = "a b&c=d\r\nhost: evil\r\n\r\nGET / HTTP/1.1 #%00+/=ä";
  expect(canonicalQuery({ blockToken: odd })).toMatch(/^blockToken=[A-Za-z0-9\-_.~%]+$/);
  expect(decodeURIComponent(canonicalQuery({ blockToken: odd }).slice("blockToken=".length))).toBe(odd);
});

import { describe, expect, test } from "vitest";
import { AwsChunkedDecoder } from "./aws-chunked.ts";
import {
  isSignatureValid,
  openSigningKeys,
  parseSignature,
  type Signature,
  type SignedRequest,
} from "./signature.ts";

/** The worked examples of AWS's documentation ("Signature Calculations", S3 API reference). */
const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

function parsed(request: SignedRequest): Signature {
  const signature = parseSignature(request, new URLSearchParams(request.rawQuery));
  if (typeof signature === "string") throw new TypeError(signature);
  return signature;
}

function isValid(request: SignedRequest, payloadHash: string): boolean {
  const signature = parsed(request);
  return isSignatureValid({ signature, request, key: openSigningKeys().of(secret, signature), payloadHash });
}

const getObject: SignedRequest = {
  method: "GET",
  rawPath: "/test.txt",
  rawQuery: "",
  headers: {
    host: "examplebucket.s3.amazonaws.com",
    range: "bytes=0-9",
    "x-amz-content-sha256": emptyHash,
    "x-amz-date": "20130524T000000Z",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
};

describe("a signature", () => {
  test("in the header is AWS's", () => {
    expect(isValid(getObject, emptyHash)).toBe(true);
  });

  test("doesn't hold for another method, path, header or body", () => {
    expect(isValid({ ...getObject, method: "PUT" }, emptyHash)).toBe(false);
    expect(isValid({ ...getObject, rawPath: "/test2.txt" }, emptyHash)).toBe(false);
    expect(isValid({ ...getObject, rawQuery: "versionId=1" }, emptyHash)).toBe(false);
    expect(isValid({ ...getObject, headers: { ...getObject.headers, range: "bytes=0-99" } }, emptyHash)).toBe(
      false,
    );
    expect(isValid(getObject, "UNSIGNED-PAYLOAD")).toBe(false);
  });

  test("in a presigned address is AWS's", () => {
    const rawQuery =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    const request = {
      method: "GET",
      rawPath: "/test.txt",
      rawQuery,
      headers: { host: "examplebucket.s3.amazonaws.com" },
    };
    expect(parsed(request)).toMatchObject({ kind: "query", expiresSeconds: 86_400 });
    expect(isValid(request, "UNSIGNED-PAYLOAD")).toBe(true);
    expect(isValid({ ...request, rawQuery: rawQuery.replace("86400", "86401") }, "UNSIGNED-PAYLOAD")).toBe(
      false,
    );
  });

  test("that is there but can't be read is incomplete, not absent", () => {
    const { authorization: _absent, ...headers } = getObject.headers;
    expect(parseSignature({ ...getObject, headers }, new URLSearchParams())).toBe("absent");
    const broken = { ...headers, authorization: "AWS4-HMAC-SHA256 Credential=x" };
    expect(parseSignature({ ...getObject, headers: broken }, new URLSearchParams())).toBe("incomplete");
  });
});

const seed: Signature = {
  kind: "header",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  date: "20130524",
  region: "us-east-1",
  service: "s3",
  signedHeaders: [],
  signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  timestamp: "20130524T000000Z",
};

const chunks = [
  ["10000", "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", "a".repeat(65_536)],
  ["400", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", "a".repeat(1024)],
  ["0", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", ""],
] as const;

const signedBody = chunks
  .map(([size, signature, data]) => `${size};chunk-signature=${signature}\r\n${data}\r\n`)
  .join("");

async function decode(
  body: string,
  pieceBytes: number,
  signed: boolean,
): Promise<{ text: string; trailers: object }> {
  const decoder = new AwsChunkedDecoder(
    signed ? { signature: seed, key: openSigningKeys().of(secret, seed) } : undefined,
  );
  const parts: Buffer[] = [];
  decoder.on("data", (part: Buffer) => parts.push(part));
  const ended = new Promise<void>((resolve, reject) => decoder.on("end", resolve).on("error", reject));
  for (let at = 0; at < body.length; at += pieceBytes)
    decoder.write(Buffer.from(body.slice(at, at + pieceBytes), "latin1"));
  decoder.end();
  await ended;
  return { text: Buffer.concat(parts).toString("latin1"), trailers: decoder.trailers };
}

describe("an aws-chunked body", () => {
  test.each([1000, 7777, 100_000])(
    "with AWS's own signatures passes, in pieces of %d bytes",
    async (pieceBytes) => {
      expect((await decode(signedBody, pieceBytes, true)).text).toBe("a".repeat(66_560));
    },
  );

  test("with one changed byte, or chunks in another order, is refused", async () => {
    await expect(decode(signedBody.replace("aaaa", "aaab"), 9000, true)).rejects.toMatchObject({
      code: "SignatureDoesNotMatch",
    });
    const [first, second, last] = signedBody.split(/(?=400;|0;chunk-signature=b6)/);
    expect(last).toBeDefined();
    await expect(decode(second! + first! + last!, 9000, true)).rejects.toMatchObject({
      code: "SignatureDoesNotMatch",
    });
  });

  test("without signatures gives its trailing checksum", async () => {
    const body = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    expect(await decode(body, 3, false)).toEqual({
      text: "hello",
      trailers: { "x-amz-checksum-crc32": "NhCmhg==" },
    });
  });

  test("that ends too early is refused", async () => {
    await expect(decode("5\r\nhel", 100, false)).rejects.toMatchObject({ code: "IncompleteBody" });
  });
});

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

export const checksumAlgorithms = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

export interface RunningDigest {
  update(bytes: Uint8Array): void;
  /** The digest in network byte order; may be asked once. */
  digest(): Buffer;
}

/** A running checksum as S3 knows them; `MD5` is the one behind ETag and Content-MD5. */
export function openDigest(algorithm: ChecksumAlgorithm | "MD5"): RunningDigest {
  switch (algorithm) {
    case "CRC32":
      return openCrc32();
    case "CRC32C":
      return openCrc32c();
    case "CRC64NVME":
      return openCrc64();
    case "MD5":
    case "SHA1":
    case "SHA256": {
      const hash = createHash(algorithm.toLowerCase());
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
    }
  }
}

/** CRCs of parts can be joined into the CRC of the whole, so S3 offers FULL_OBJECT for these only. */
export function isCrc(algorithm: ChecksumAlgorithm): boolean {
  return algorithm.startsWith("CRC");
}

function openCrc32(): RunningDigest {
  let value = 0;
  return {
    update: (bytes) => void (value = crc32(bytes, value)),
    digest: () => fourBytes(value),
  };
}

function openCrc32c(): RunningDigest {
  const table = crc32cTable();
  let value = 0xffffffff;
  return {
    update: (bytes) => {
      let crc = value;
      for (let index = 0; index < bytes.length; index++) {
        crc = table[(crc ^ bytes[index]!) & 0xff]! ^ (crc >>> 8);
      }
      value = crc;
    },
    digest: () => fourBytes(~value >>> 0),
  };
}

// CRC-64/NVME is reflected with polynomial 0xad93d23594c93659; two 32-bit halves, since BigInt in the loop is 50 times slower.
function openCrc64(): RunningDigest {
  const { high: highTable, low: lowTable } = crc64Tables();
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update: (bytes) => {
      for (let index = 0; index < bytes.length; index++) {
        const slot = (low ^ bytes[index]!) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ lowTable[slot]!;
        high = (high >>> 8) ^ highTable[slot]!;
      }
    },
    digest: () => Buffer.concat([fourBytes(~high >>> 0), fourBytes(~low >>> 0)]),
  };
}

function fourBytes(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value >>> 0);
  return buffer;
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const crc32cTable = once(() => {
  const table = new Int32Array(256);
  for (let index = 0; index < 256; index++) {
    let crc = index;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    table[index] = crc;
  }
  return table;
});

const crc64Tables = once(() => {
  const high = new Int32Array(256);
  const low = new Int32Array(256);
  const polynomial = 0x9a6c9329ac4bc9b5n;
  for (let index = 0; index < 256; index++) {
    let crc = BigInt(index);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    high[index] = Number(BigInt.asIntN(32, crc >> 32n));
    low[index] = Number(BigInt.asIntN(32, crc));
  }
  return { high, low };
});

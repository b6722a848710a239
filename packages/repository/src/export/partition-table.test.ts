import { expect, test } from "vitest";
import { readPartitionTable } from "./partition-table.ts";

const diskBytes = 64 * 1024 * 1024;

const read = (disk: Buffer) => (offset: number, length: number) =>
  Promise.resolve(new Uint8Array(disk.subarray(offset, offset + length)));

function mbrEntry(type: number, first: number, sectors: number): Buffer {
  const entry = Buffer.alloc(16);
  entry.writeUInt8(type, 4);
  entry.writeUInt32LE(first, 8);
  entry.writeUInt32LE(sectors, 12);
  return entry;
}

function putTable(disk: Buffer, sector: number, entries: readonly Buffer[]): void {
  entries.forEach((entry, index) => disk.set(entry, sector * 512 + 446 + index * 16));
  disk.writeUInt16LE(0xaa55, sector * 512 + 510);
}

const linuxGuid = Buffer.from("af3dc60f838472478e793d69d8477de4", "hex");

function gptDisk(entries: readonly { first: number; last: number; name: string }[], count = 128): Buffer {
  const disk = Buffer.alloc(diskBytes);
  putTable(disk, 0, [mbrEntry(0xee, 1, 0xffffffff)]);
  disk.write("EFI PART", 512, "latin1");
  disk.writeBigUInt64LE(2n, 512 + 72);
  disk.writeUInt32LE(count, 512 + 80);
  disk.writeUInt32LE(128, 512 + 84);
  entries.forEach(({ first, last, name }, index) => {
    const at = 1024 + index * 128;
    disk.set(linuxGuid, at);
    disk.writeBigUInt64LE(BigInt(first), at + 32);
    disk.writeBigUInt64LE(BigInt(last), at + 40);
    disk.write(name, at + 56, "utf16le");
  });
  return disk;
}

test("GPT partitions are found with their names", async () => {
  const disk = gptDisk([
    { first: 2048, last: 4095, name: "boot" },
    { first: 4096, last: 100_000, name: "root" },
  ]);
  expect(await readPartitionTable(read(disk), disk.length)).toEqual([
    { number: 1, offset: 2048 * 512, sizeBytes: 2048 * 512, type: "linux", name: "boot" },
    { number: 2, offset: 4096 * 512, sizeBytes: 95_905 * 512, type: "linux", name: "root" },
  ]);
});

test("MBR partitions are found, logical ones too", async () => {
  const disk = Buffer.alloc(diskBytes);
  putTable(disk, 0, [mbrEntry(0x83, 2048, 1000), mbrEntry(0x05, 10_000, 50_000)]);
  putTable(disk, 10_000, [mbrEntry(0x82, 8, 100), mbrEntry(0x05, 1000, 2000)]);
  putTable(disk, 11_000, [mbrEntry(0x83, 8, 1500)]);
  const found = await readPartitionTable(read(disk), disk.length);
  expect(found.map(({ number, offset, type }) => [number, offset / 512, type])).toEqual([
    [1, 2048, "linux"],
    [5, 10_008, "swap"],
    [6, 11_008, "linux"],
  ]);
});

test("a disk without a table has no partitions, nor has a file system's boot sector", async () => {
  expect(await readPartitionTable(read(Buffer.alloc(diskBytes)), diskBytes)).toEqual([]);
  const boot = Buffer.alloc(diskBytes, 0x41);
  boot.writeUInt16LE(0xaa55, 510);
  expect(await readPartitionTable(read(boot), diskBytes)).toEqual([]);
});

test("partitions that lie beyond the disk are left out", async () => {
  const disk = gptDisk([{ first: 2048, last: 10_000_000, name: "far" }]);
  expect(await readPartitionTable(read(disk), disk.length)).toEqual([]);
});

test("a table that claims the impossible is named", async () => {
  const disk = gptDisk([], 4_000_000_000);
  await expect(readPartitionTable(read(disk), disk.length)).rejects.toMatchObject({ code: "mount-failed" });
});

test("a chain of logical partitions that bites its tail ends", async () => {
  const disk = Buffer.alloc(diskBytes);
  putTable(disk, 0, [mbrEntry(0x0f, 10_000, 50_000)]);
  putTable(disk, 10_000, [mbrEntry(0x83, 8, 100), mbrEntry(0x05, 0, 2000)]);
  expect((await readPartitionTable(read(disk), disk.length)).length).toBe(128);
});

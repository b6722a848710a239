import { GarrisonError } from "@garrison/core/garrison-error";

export interface Partition {
  /** As in `/dev/sda3`. */
  readonly number: number;
  readonly offset: number;
  readonly sizeBytes: number;
  /** What the table calls its type: `linux`, `swap`, `efi`, ..., or the code in hex. */
  readonly type: string;
  /** GPT only. */
  readonly name?: string;
}

/** Reads a range of the disk. */
export type DiskReader = (offset: number, length: number) => Promise<Uint8Array>;

const sectorBytes = 512;

/**
 * The partitions of a disk, by GPT or else MBR (logical ones included); none when the disk has no table. Sectors are of
 * 512 bytes, as EBS's are. Sources: UEFI 2.10 chapter 5; what Linux makes of an MBR. Throws `mount-failed` for a table
 * that contradicts itself.
 */
export async function readPartitionTable(read: DiskReader, sizeBytes: number): Promise<readonly Partition[]> {
  if (sizeBytes < 34 * sectorBytes) return [];
  const sectors = Buffer.from(await read(0, 2 * sectorBytes));
  if (sectors.readUInt16LE(510) !== 0xaa55) return [];
  if (sectors.toString("latin1", 512, 520) === "EFI PART") return readGpt(read, sectors, sizeBytes);
  return readMbr(read, sectors, sizeBytes);
}

async function readGpt(read: DiskReader, sectors: Buffer, sizeBytes: number): Promise<readonly Partition[]> {
  const header = sectors.subarray(sectorBytes);
  const offset = Number(header.readBigUInt64LE(72)) * sectorBytes;
  const count = header.readUInt32LE(80);
  const entryBytes = header.readUInt32LE(84);
  const isSane = count <= 1024 && entryBytes >= 128 && entryBytes <= 4096 && entryBytes % 128 === 0;
  if (!isSane || offset + count * entryBytes > sizeBytes) {
    throw new GarrisonError(
      "mount-failed",
      `the partition table claims ${count} entries of ${entryBytes} bytes`,
    );
  }
  const entries = Buffer.from(await read(offset, count * entryBytes));
  const partitions: Partition[] = [];
  for (let index = 0; index < count; index++) {
    const entry = entries.subarray(index * entryBytes, index * entryBytes + 128);
    const type = formatGuid(entry.subarray(0, 16));
    if (type === "00000000-0000-0000-0000-000000000000") continue;
    const first = Number(entry.readBigUInt64LE(32));
    const last = Number(entry.readBigUInt64LE(40));
    const name = entry.toString("utf16le", 56, 128).replace(/\0.*$/s, "");
    const place = { offset: first * sectorBytes, sizeBytes: (last - first + 1) * sectorBytes };
    partitions.push({ number: index + 1, ...place, type: gptTypes[type] ?? type, name });
  }
  return partitions.filter((partition) => isInside(partition, sizeBytes));
}

const gptTypes: Readonly<Record<string, string>> = {
  "0fc63daf-8483-4772-8e79-3d69d8477de4": "linux",
  "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "linux",
  "b921b045-1df0-41c3-af44-4c6f280d3fae": "linux",
  "e6d6d379-f507-44c2-a23c-238f2a3df928": "lvm",
  "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "swap",
  "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "efi",
  "21686148-6449-6e6f-744e-656564454649": "bios-boot",
  "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "windows",
  "e3c9e316-0b5c-4db8-817d-f92df00215ae": "windows-reserved",
  "de94bba4-06d1-4d40-a16a-bfd50179d6ac": "windows-recovery",
};

/** The first three fields of a GUID are little-endian. */
function formatGuid(bytes: Buffer): string {
  const hex = (part: Buffer) => part.toString("hex");
  const reversed = (start: number, end: number) => hex(Buffer.from(bytes.subarray(start, end)).reverse());
  return [
    reversed(0, 4),
    reversed(4, 6),
    reversed(6, 8),
    hex(bytes.subarray(8, 10)),
    hex(bytes.subarray(10)),
  ].join("-");
}

const mbrTypes: Readonly<Record<number, string>> = {
  0x07: "windows",
  0x0b: "windows",
  0x0c: "windows",
  0x82: "swap",
  0x83: "linux",
  0x8e: "lvm",
  0xef: "efi",
};
const extendedTypes = [0x05, 0x0f, 0x85];
const maxLogical = 128;

interface MbrEntry {
  readonly type: number;
  readonly firstSector: number;
  readonly sectors: number;
}

function mbrEntries(sector: Buffer): readonly MbrEntry[] {
  return [0, 1, 2, 3].map((index) => {
    const at = 446 + index * 16;
    return {
      type: sector.readUInt8(at + 4),
      firstSector: sector.readUInt32LE(at + 8),
      sectors: sector.readUInt32LE(at + 12),
    };
  });
}

async function readMbr(read: DiskReader, sectors: Buffer, sizeBytes: number): Promise<readonly Partition[]> {
  const entries = mbrEntries(sectors);
  // A boot sector of a file system has the same last two bytes; its "table" then points anywhere.
  const flags = [0, 1, 2, 3].map((index) => sectors.readUInt8(446 + index * 16));
  const isTable = entries.some((entry) => entry.type !== 0 && entry.sectors > 0);
  if (!isTable || flags.some((flag) => flag !== 0 && flag !== 0x80)) return [];
  const partitions: Partition[] = [];
  for (const [index, entry] of entries.entries()) {
    if (entry.type === 0 || entry.sectors === 0) continue;
    if (extendedTypes.includes(entry.type)) {
      partitions.push(...(await readLogical(read, entry.firstSector, sizeBytes)));
    } else partitions.push(partitionOf(index + 1, entry, 0));
  }
  return partitions.filter((partition) => isInside(partition, sizeBytes));
}

/** A chain of tables, each with one partition and a link to the next one. */
async function readLogical(
  read: DiskReader,
  extendedSector: number,
  sizeBytes: number,
): Promise<readonly Partition[]> {
  const partitions: Partition[] = [];
  let table = extendedSector;
  for (let number = 5; number < 5 + maxLogical; number++) {
    if ((table + 1) * sectorBytes > sizeBytes) break;
    const sector = Buffer.from(await read(table * sectorBytes, sectorBytes));
    const [entry, link] = mbrEntries(sector) as [MbrEntry, MbrEntry];
    if (sector.readUInt16LE(510) !== 0xaa55 || entry.sectors === 0) break;
    partitions.push(partitionOf(number, entry, table));
    if (!extendedTypes.includes(link.type)) break;
    table = extendedSector + link.firstSector;
  }
  return partitions;
}

function partitionOf(number: number, entry: MbrEntry, fromSector: number): Partition {
  return {
    number,
    offset: (fromSector + entry.firstSector) * sectorBytes,
    sizeBytes: entry.sectors * sectorBytes,
    type: mbrTypes[entry.type] ?? `0x${entry.type.toString(16).padStart(2, "0")}`,
  };
}

function isInside(partition: Partition, sizeBytes: number): boolean {
  const { offset } = partition;
  return partition.sizeBytes > 0 && offset > 0 && offset + partition.sizeBytes <= sizeBytes;
}

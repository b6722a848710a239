import { hookBytes, hookPrefixBytes, isHookId, type PackedHooks } from "../format/hooks.ts";

/** Finds the leaf of an earlier stream that holds a chunk, for one in 64 of its chunks. 12 bytes a hook. */
export interface HookIndex {
  /** The leaf that the hook was taken from; another one may hold the chunk too. */
  leafOf(id: Uint8Array): number | undefined;
}

export function indexHooks(hooks: PackedHooks): HookIndex {
  const order = Uint32Array.from({ length: hooks.length }, (_, index) => index).sort((left, right) =>
    Buffer.compare(hooks.idPrefix(left), hooks.idPrefix(right)),
  );
  const table = Buffer.alloc(hooks.bytes.length);
  for (const [at, index] of order.entries()) {
    table.set(hooks.bytes.subarray(index * hookBytes, (index + 1) * hookBytes), at * hookBytes);
  }
  return {
    leafOf(id) {
      if (!isHookId(id)) return undefined;
      const at = findFirst(table, id) * hookBytes;
      return at < table.length && comparePrefix(table, at, id) === 0
        ? table.readUInt32BE(at + hookPrefixBytes)
        : undefined;
    },
  };
}

/** The first entry that is not below the id. */
function findFirst(table: Buffer, id: Uint8Array): number {
  let [low, high] = [0, table.length / hookBytes];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePrefix(table, middle * hookBytes, id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function comparePrefix(table: Buffer, at: number, id: Uint8Array): number {
  return table.compare(id, 0, hookPrefixBytes, at, at + hookPrefixBytes);
}

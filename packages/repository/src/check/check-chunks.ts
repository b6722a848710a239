import type { ChunkAddress } from "../format/page-reference.ts";
import { packOf } from "../repair/lost-items.ts";
import type { ChunkReader } from "../restore/chunk-reader.ts";
import { verifyChunks } from "../restore/verify-chunks.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { DomainCheck } from "./check-plan.ts";
import { nameOfPack } from "./compare-listing.ts";

/** Opens blocks; those that are damaged go to the damage list. What is known to be lost is not read again. */
export async function checkChunks(
  check: DomainCheck,
  wanted: { readonly chunks: ChunkReader; readonly addresses: readonly ChunkAddress[] },
  call: StoreCall,
): Promise<void> {
  const sound = wanted.addresses.filter((address) => !check.damage.lost.has("pack", address));
  const placed = sound.map((address) => ({ block: 0, address }));
  const { failures } = await verifyChunks(wanted.chunks, placed, call);
  for (const { address, code, reason } of failures) {
    const pack = packOf("pack", address);
    const message = `the block at byte ${address.offset} of ${nameOfPack(check, pack)} ${reason}`;
    check.damage.addItem({ pack, code, message }, address.offset);
  }
}

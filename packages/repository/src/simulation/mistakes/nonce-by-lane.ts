import { itemNumberBytes } from "../../format/format-limits.ts";
import { chunkAad } from "../../format/item-identity.ts";
import { parsePackName } from "../../format/object-names.ts";
import {
  decodeFooter,
  openItem,
  packKey,
  packTrailerBytes,
  readTrailer,
  type PackAddress,
} from "../../format/pack-container.ts";
import { counterNonce, sealInto } from "../../format/seal.ts";
import type { Stage } from "../actors/stage.ts";
import type { Mistake } from "./mistake.ts";

/** The number of the pack does not enter the key: the first items of all packs of a lane share key and nonce. */
export const nonceByLane: Mistake = {
  name: "nonce-by-lane",
  what: "a writer seals all packs of a lane under one key",
  foundBy: [5, 1],
  openStore(store, { stage, process }) {
    if (process.role !== "writer") return undefined;
    return {
      ...store,
      create(key, bytes, call) {
        const pack = parsePackName(key);
        const isData = pack?.kind === "pack";
        return store.create(key, isData ? sealedByLane(stage, pack, bytes) : bytes, call);
      },
    };
  },
};

function sealedByLane(stage: Stage, pack: PackAddress, bytes: Uint8Array): Uint8Array {
  const { keys, repository } = stage.model.keyring;
  const sealed = Buffer.from(bytes);
  const tailAt = sealed.length - packTrailerBytes;
  const { footerBytes } = readTrailer(sealed.subarray(tailAt), "its trailer");
  const dataKey = repository.sessionDataKey(keys.domain, pack.session, keys.epoch);
  const laneKey = packKey(dataKey, { ...pack, number: 0 });
  for (const entry of decodeFooter(keys, pack, sealed.subarray(tailAt - footerBytes, tailAt))) {
    const item = sealed.subarray(entry.offset, entry.offset + entry.length);
    const aad = chunkAad(keys, entry);
    const payload = openItem(packKey(dataKey, pack), aad, item)!;
    const context = { key: laneKey, nonce: counterNonce(item.readUInt32BE(0)), aad };
    sealInto(context, payload, item.subarray(itemNumberBytes));
  }
  return sealed;
}

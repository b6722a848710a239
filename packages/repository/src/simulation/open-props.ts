import { seededRandom } from "@garrison/core/random";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { initRepository } from "../keys/init-repository.ts";
import { openKeyring } from "../keys/open-keyring.ts";
import { openMemoryObjectStore } from "../store/memory-object-store.ts";
import type { EngineProps } from "./actors/stage.ts";
import { openContentCrew } from "./world/content-crew.ts";
import { ContentIds } from "./world/content-ids.ts";
import { ContentPool } from "./world/content-pool.ts";

const contentCount = 120;
const domain = "111122223333";

/** A new repository and the contents of blocks, made once for all histories of a run. */
export async function openProps(): Promise<EngineProps> {
  const random = seededRandom("simulation");
  const clock = new VirtualClock();
  const call = { signal: new AbortController().signal };
  const secret = { masterSecret: random.bytes(32) };
  const store = openMemoryObjectStore(clock);
  const repository = await initRepository({ store, clock, random }, [secret], call);
  const { masterKeys } = await openKeyring({ store }, { secrets: [secret] }, call);
  const keys = repository.domainKeys(domain);
  const contents = new ContentPool(contentCount);
  return {
    first: {
      repository,
      keys,
      masterKey: masterKeys[0]!,
      controlPrivateKey: repository.controlPrivateKey(domain),
    },
    secret,
    objects: new Map([...store.objects].map(([key, { bytes }]) => [key, bytes])),
    domain,
    contents,
    contentIds: new ContentIds(contents, keys.idKey),
    openCrew: openContentCrew(contents),
  };
}

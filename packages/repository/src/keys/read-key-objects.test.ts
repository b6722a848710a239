import { expect, test } from "vitest";
import { seededRandom } from "@garrison/core/random";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { openMemoryObjectStore } from "../store/memory-object-store.ts";
import { initRepository } from "./init-repository.ts";
import { openKeyring } from "./open-keyring.ts";
import { openRepository } from "./open-repository.ts";
import { planRotation } from "./plan-rotation.ts";
import { rotateKeys } from "./rotate-keys.ts";

const call = { signal: new AbortController().signal };

test("a rotation that replaces the wraps between their listing and their reading locks nobody out", async () => {
  const clock = new VirtualClock();
  const random = seededRandom("rotated meanwhile");
  const store = openMemoryObjectStore(clock);
  const secret = { masterSecret: random.bytes(32) };
  await initRepository({ store, clock, random }, [secret], call);
  let hasRotated = false;
  const overtaken = {
    ...store,
    async read(key: string, reading: typeof call) {
      if (key.startsWith("key/") && !hasRotated) {
        hasRotated = true;
        const keyring = await openKeyring({ store }, { secrets: [secret], every: true }, call);
        const rotation = { keyring, plan: planRotation(keyring), secrets: [secret] };
        await rotateKeys({ store, clock, random }, rotation, call);
      }
      return store.read(key, reading);
    },
  };
  const repository = await openRepository({ store: overtaken }, secret, call);
  expect(hasRotated).toBe(true);
  expect(repository.epoch).toBe(2);
});

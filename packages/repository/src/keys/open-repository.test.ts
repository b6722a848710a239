import { expect, test } from "vitest";
import { systemClock } from "@garrison/core/clock";
import { seededRandom } from "@garrison/core/random";
import { initRepository } from "./init-repository.ts";
import { openMemoryObjectStore } from "../store/memory-object-store.ts";
import { openRepository } from "./open-repository.ts";

const call = { signal: new AbortController().signal };
const random = seededRandom("open");
const clock = systemClock;
const masterSecret = random.bytes(32);

async function create(secrets: Parameters<typeof initRepository>[1]) {
  const store = openMemoryObjectStore(clock);
  return { store, repository: await initRepository({ store, clock, random }, secrets, call) };
}

test("each of several secrets opens a repository to the same keys", async () => {
  const { store, repository } = await create([{ masterSecret }, { password: "correct horse" }]);
  for (const secret of [{ masterSecret }, { password: "correct horse" }]) {
    const opened = await openRepository({ store }, secret, call);
    expect(opened.repositoryId).toBe(repository.repositoryId);
    expect(opened.domainKeys("local")).toEqual(repository.domainKeys("local"));
  }
});

test("a wrong password or secret is named", async () => {
  const { store } = await create([{ password: "right" }]);
  await expect(openRepository({ store }, { password: "wrong" }, call)).rejects.toMatchObject({
    code: "repository-password-wrong",
  });
  await expect(openRepository({ store }, { masterSecret }, call)).rejects.toMatchObject({
    code: "repository-password-wrong",
  });
});

test("an empty place is no repository, and one place holds only one", async () => {
  const empty = openMemoryObjectStore(clock);
  await expect(openRepository({ store: empty }, { masterSecret }, call)).rejects.toMatchObject({
    code: "repository-missing",
  });
  const { store } = await create([{ masterSecret }]);
  await expect(initRepository({ store, clock, random }, [{ masterSecret }], call)).rejects.toMatchObject({
    code: "repository-exists",
  });
});

test("a later format, a damaged header and a damaged wrap are named", async () => {
  const { store } = await create([{ masterSecret }]);
  const header = store.objects.get("garrison")!;
  const put = (key: string, bytes: Uint8Array) => store.objects.set(key, { ...header, bytes });
  put("garrison", Buffer.from(Buffer.from(header.bytes).toString().replace('"version":1', '"version":2')));
  await expect(openRepository({ store }, { masterSecret }, call)).rejects.toMatchObject({
    code: "repository-unsupported",
  });
  put("garrison", header.bytes.subarray(0, 20));
  await expect(openRepository({ store }, { masterSecret }, call)).rejects.toMatchObject({
    code: "object-malformed",
  });
  put("garrison", header.bytes);
  const wrap = [...store.objects.keys()].find((key) => key.startsWith("key/"))!;
  put(wrap, Buffer.from("{}"));
  await expect(openRepository({ store }, { masterSecret }, call)).rejects.toMatchObject({
    code: "keys-damaged",
    message: expect.stringContaining(wrap),
  });
});

test("domains and sessions have keys of their own", async () => {
  const { repository } = await create([{ masterSecret }]);
  const [one, two] = [repository.domainKeys("111111111111"), repository.domainKeys("222222222222")];
  for (const field of ["idKey", "mapKey", "pointKey", "controlPublicKey"] as const)
    expect(one[field]).not.toEqual(two[field]);
  const sessions = [
    repository.sessionDataKey("a", "00".repeat(8), 1),
    repository.sessionDataKey("b", "00".repeat(8), 1),
    repository.sessionDataKey("a", "11".repeat(8), 1),
  ];
  expect(new Set(sessions.map((key) => Buffer.from(key).toString("hex"))).size).toBe(3);
  for (const name of ["key", "garrison", "probe", "", "A", "-x", "a/b", "x".repeat(64)]) {
    expect(() => repository.domainKeys(name)).toThrow(expect.objectContaining({ code: "usage" }));
  }
});

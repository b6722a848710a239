import { channelStoreContract } from "@garrison/channel/channel-store-contract";
import { seededRandom } from "@garrison/core/random";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSecretBox } from "../secrets/secret-box.ts";
import { createAccount, listAccounts } from "./accounts.ts";
import { openChannelRecord } from "./channel-records.ts";
import type { Database } from "./database/open-database.ts";
import { migrateDatabase } from "./database/migrate-database.ts";
import { answerKey, claimKey, releaseKey } from "./idempotency-keys.ts";
import {
  keepMade,
  listLeftOf,
  listRecorded,
  recordIntent,
  recordMade,
  recordRemoved,
} from "./made-resources.ts";
import { beginStep, endStep, listSteps, logStep } from "./run-steps.ts";
import {
  changeRun,
  createRunRecord,
  endedRunsOf,
  isCancelRequested,
  listRunRecords,
  readRunRecord,
  readRunRevision,
  requestCancel,
} from "./runs.ts";
import { loadOrCreateSetting } from "./settings.ts";
import { openTestDatabase, testAccount } from "./store-fixture.ts";
import { createWorkerRecord } from "./workers.ts";

let database: Database;
const at = (second: number) => new Date(Date.UTC(2026, 10, 24, 0, 0, second));
beforeAll(async () => {
  database = await openTestDatabase();
  await createAccount(database.queries, testAccount, at(0));
});
afterAll(() => database[Symbol.asyncDispose]());

let made = 0;
async function newRun(
  change: { readonly resource?: string; readonly kind?: "backup" | "instance-restore" } = {},
) {
  made += 1;
  return createRunRecord(database.queries, {
    id: `run-${String(made).padStart(4, "0")}`,
    kind: change.kind ?? "backup",
    accountId: testAccount.id,
    resource: change.resource ?? `arn:${made}`,
    request: {},
    createdAt: at(made),
  });
}

describe("the database", () => {
  test("can be migrated again without effect", async () => {
    await migrateDatabase(database.pool);
    expect((await listAccounts(database.queries, { limit: 10 })).items).toHaveLength(1);
  });

  test("keeps the first value of a setting", async () => {
    expect(await loadOrCreateSetting(database.queries, "installation", () => "one")).toBe("one");
    expect(await loadOrCreateSetting(database.queries, "installation", () => "two")).toBe("one");
  });

  test("refuses a second account of the same id by name", async () => {
    await expect(createAccount(database.queries, testAccount, at(1))).rejects.toMatchObject({
      code: "record-exists",
    });
  });
});

describe("runs", () => {
  test("one backup of a resource at a time; restores of it are free", async () => {
    await newRun({ resource: "arn:same" });
    await expect(newRun({ resource: "arn:same" })).rejects.toMatchObject({ code: "run-conflict" });
    await newRun({ resource: "arn:same", kind: "instance-restore" });
  });

  test("an ended run is never changed again", async () => {
    const { id } = await newRun();
    await changeRun(database.queries, id, { status: "succeeded", endedAt: at(50), result: { a: 1 } });
    await changeRun(database.queries, id, { status: "failed" });
    expect(await readRunRecord(database.queries, id)).toMatchObject({
      status: "succeeded",
      result: { a: 1 },
    });
    expect(await requestCancel(database.queries, id, at(51))).toBe(false);
    expect(await endedRunsOf(database.queries, [id, "run-none"])).toEqual(new Set([id]));
  });

  test("a stop is remembered, and counts as a change", async () => {
    const { id } = await newRun();
    const before = await readRunRevision(database.queries, id);
    expect(await isCancelRequested(database.queries, id)).toBe(false);
    expect(await requestCancel(database.queries, id, at(50))).toBe(true);
    expect(await isCancelRequested(database.queries, id)).toBe(true);
    expect(await readRunRevision(database.queries, id)).toBeGreaterThan(before);
  });

  test("pages go from the newest to the oldest, each run once", async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listRunRecords(database.queries, { limit: 2, cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual([...seen].sort().reverse());
    expect(new Set(seen).size).toBe(seen.length);
  });

  test("a cursor that no page answered is refused", async () => {
    const cursor = Buffer.from("nonsense").toString("base64url");
    await expect(listRunRecords(database.queries, { limit: 2, cursor })).rejects.toMatchObject({
      code: "request-invalid",
    });
  });
});

describe("steps", () => {
  test("a repeated step keeps its start and its log, and counts the attempt", async () => {
    const { id: runId } = await newRun();
    const step = { runId, number: 1, name: "take snapshots" };
    await beginStep(database.queries, { ...step, at: at(1) });
    await logStep(database.queries, { ...step, at: at(2), message: "took one", resource: "snap-1" });
    await beginStep(database.queries, { ...step, at: at(3) });
    await endStep(database.queries, { ...step, at: at(4), status: "done" });
    expect(await listSteps(database.queries, runId)).toEqual([
      {
        number: 1,
        name: "take snapshots",
        status: "done",
        attempts: 2,
        startedAt: at(1).toISOString(),
        endedAt: at(4).toISOString(),
        log: [{ at: at(2).toISOString(), message: "took one", resource: "snap-1" }],
      },
    ]);
  });
});

describe("made resources", () => {
  const intent = (runId: string, token: string) =>
    ({
      runId,
      token,
      kind: "snapshot",
      accountId: testAccount.id,
      region: "eu-central-1",
      role: "backup",
      intendedAt: at(1),
    }) as const;

  test("an intent said again answers what became of the first one", async () => {
    const { id: runId } = await newRun();
    const first = await recordIntent(database.queries, intent(runId, "a"));
    await recordMade(database.queries, first.id, { resourceId: "snap-a", at: at(2) });
    expect(await recordIntent(database.queries, intent(runId, "a"))).toMatchObject({
      id: first.id,
      resourceId: "snap-a",
    });
  });

  test("what is left of a run is told latest first; kept and removed things are not left", async () => {
    const { id: runId } = await newRun();
    for (const token of ["a", "b", "kept", "removed"]) {
      const { id } = await recordIntent(database.queries, intent(runId, token));
      await recordMade(database.queries, id, { resourceId: `${runId}-${token}`, at: at(2) });
      if (token === "removed") await recordRemoved(database.queries, id, at(3));
    }
    await keepMade(database.queries, [`${runId}-kept`], "base");
    const left = await listLeftOf(database.queries, runId);
    expect(left.map(({ token }) => token)).toEqual(["b", "a"]);
    const recorded = (await listRecorded(database.queries)).filter((record) => record.runId === runId);
    expect(recorded.map(({ token }) => token)).toEqual(["a", "b", "kept"]);
  });
});

describe("a worker's channel record", () => {
  const random = seededRandom("channel");
  const secrets = openSecretBox(random.bytes(32), random);
  let count = 0;

  async function openEmpty() {
    const { id: runId } = await newRun();
    count += 1;
    const place = {
      accountId: testAccount.id,
      region: "eu-central-1",
      placement: "production",
      role: "backup",
    } as const;
    const id = `worker-${count}`;
    await createWorkerRecord(database.queries, { ...place, id, runId, createdAt: at(1) });
    return openChannelRecord(database.queries, secrets, id);
  }

  test.each(channelStoreContract.map(({ name, run }) => [name, run] as const))("%s", async (_, run) => {
    await run(await openEmpty());
  });
});

describe("idempotency keys", () => {
  const request = { key: "k", operation: "createRun", requestHash: "h" };

  test("answer the first answer, refuse another request, and are free after a failure", async () => {
    expect(await claimKey(database.queries, request, at(1))).toBe("claimed");
    await expect(claimKey(database.queries, request, at(1))).rejects.toMatchObject({ code: "run-conflict" });
    await releaseKey(database.queries, "k");
    expect(await claimKey(database.queries, request, at(2))).toBe("claimed");
    await answerKey(database.queries, "k", { id: "run-1" });
    await releaseKey(database.queries, "k");
    expect(await claimKey(database.queries, request, at(3))).toEqual({ response: { id: "run-1" } });
    const other = { ...request, requestHash: "other" };
    await expect(claimKey(database.queries, other, at(3))).rejects.toMatchObject({
      code: "idempotency-key-reused",
    });
  });
});

import { createSecretKey } from "node:crypto";
import { expect, test } from "vitest";
import { seededRandom } from "@garrison/core/random";
import type { Lab } from "../../lab.ts";
import { blockTokenMaker, checkBlockToken, newPageToken, readPageToken } from "./tokens.ts";

const dayMs = 86_400_000;

/** As much of a lab as tokens look at. */
function partialLab() {
  let now = Date.UTC(2026, 10, 24);
  const lab = {
    clock: { now: () => now },
    random: seededRandom("tokens"),
    ec2: { tokenKey: createSecretKey(Buffer.alloc(32, 1)), settings: { pageTokenMs: 3_600_000 } },
  } as unknown as Lab;
  return { lab, pass: (ms: number) => (now += ms) };
}

test("a block token is good for its block for seven days", () => {
  const { lab, pass } = partialLab();
  const scope = { snapshotId: "snap-1", block: 7 };
  const token = blockTokenMaker(lab, lab.clock.now() + 7 * dayMs)(scope);
  expect(token).toMatch(/^[A-Za-z0-9+/=]{1,256}$/);
  checkBlockToken(lab, token, scope);
  expect(() => checkBlockToken(lab, token, { ...scope, block: 8 })).toThrow("not valid");
  expect(() => checkBlockToken(lab, token, { ...scope, snapshotId: "snap-2" })).toThrow("not valid");
  pass(7 * dayMs - 1000);
  checkBlockToken(lab, token, scope);
  pass(2000);
  expect(() => checkBlockToken(lab, token, scope)).toThrow("expired");
});

test("each listing makes other tokens for the same block", () => {
  const { lab } = partialLab();
  const scope = { snapshotId: "snap-1", block: 7 };
  const [one, two] = [1, 2].map(() => blockTokenMaker(lab, lab.clock.now() + dayMs)(scope));
  expect(one).not.toBe(two);
});

test("a page token is good for its listing for an hour", () => {
  const { lab, pass } = partialLab();
  const token = newPageToken(lab, { scope: "list/snap-1", nextBlock: 4711 });
  expect(readPageToken(lab, token, "list/snap-1")).toBe(4711);
  expect(() => readPageToken(lab, token, "list/snap-2")).toThrow("not valid");
  pass(3_601_000);
  expect(() => readPageToken(lab, token, "list/snap-1")).toThrow("expired");
});

import { expect, test } from "vitest";
import { MoveCandidates } from "./move-candidates.ts";

const lane = { kind: "pack", session: "006b04dc400d99a8", lane: "e6e51313", isMoved: false } as const;

test("at most so many packs are moved, those first of which most is gained, and the rest is counted", () => {
  const candidates = new MoveCandidates(3);
  for (const [number, references] of [30, 2, 25, 9, 14, 3, 28, 11].entries())
    candidates.add({ ...lane, number, sizeBytes: 32_000, items: 63, references });
  expect(candidates.list().map(({ number, references }) => [number, references])).toEqual([
    [1, 2],
    [3, 9],
    [5, 3],
  ]);
  expect(candidates.later).toBe(5);
});

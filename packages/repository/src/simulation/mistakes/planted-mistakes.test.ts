import { expect, test } from "vitest";
import { openProps } from "../open-props.ts";
import { runHistory } from "../run-history.ts";
import { plantedMistakes } from "./planted-mistakes.ts";

/** A history of each that is known to find it: `npm run simulate -- --mistake all` gives them anew. */
const seeds: Readonly<Record<string, number>> = {
  "tombstone-before-open": 158,
  "opens-before-tombstones": 550,
  "skip-step-zero": 2,
  "uncommitted-forwards": 196,
  "tombstone-goes-with-record": 1,
  "commit-before-pages": 1,
  "rename-instead-of-link": 1,
  "nonce-by-lane": 1,
  "table-off-by-one": 1,
  "vanished-accepted": 28,
};

const props = await openProps();

test.each(plantedMistakes)("$name is found: $what", async (mistake) => {
  const { violation } = await runHistory(props, { seed: seeds[mistake.name]!, mistake });
  expect(mistake.foundBy).toContain(violation?.check);
});

test.each([...new Set(Object.values(seeds))])(
  "history %i breaks no promise without a mistake",
  async (seed) => {
    const { violation } = await runHistory(props, { seed });
    expect(violation).toBeUndefined();
  },
);

test("every mistake that the protocol names is planted", () => {
  expect(plantedMistakes.map(({ name }) => name)).toEqual(Object.keys(seeds));
});

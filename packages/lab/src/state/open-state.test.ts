import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { delayView } from "./delayed-view.ts";
import { openState } from "./open-state.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "state-"));
  file = join(folder, "state.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the journal", () => {
  test("brings back what was put and leaves out what was deleted, without a close", () => {
    const roles = openState(file).collection<{ name: string }>("roles");
    roles.put("a", { name: "one" });
    roles.put("a", { name: "two" });
    roles.put("b", { name: "gone" });
    roles.delete("b");
    const again = openState(file).collection<{ name: string }>("roles");
    expect([...again.entries()]).toEqual([["a", { name: "two" }]]);
  });

  test("drops a last line that a crash cut short, and goes on after it", () => {
    openState(file).collection<number>("numbers").put("a", 1);
    appendFileSync(file, '["numbers","b",2');
    const numbers = openState(file).collection<number>("numbers");
    expect([...numbers.keys()]).toEqual(["a"]);
    numbers.put("c", 3);
    expect([...openState(file).collection<number>("numbers").entries()]).toEqual([
      ["a", 1],
      ["c", 3],
    ]);
  });

  test("refuses a damaged line in the middle rather than lose what follows", () => {
    openState(file).collection<number>("numbers").put("a", 1);
    appendFileSync(file, 'damage\n["numbers","b",2]\n');
    expect(() => openState(file)).toThrow(SyntaxError);
  });

  test("is rewritten on opening to what is left", () => {
    const numbers = openState(file).collection<number>("numbers");
    for (let value = 0; value < 100; value++) numbers.put("same", value);
    openState(file).close();
    expect(readFileSync(file, "utf8")).toBe('["numbers","same",99]\n');
  });

  test("keeps the order in which keys were first put", () => {
    const state = openState(file);
    for (const key of ["c", "a", "b"]) state.collection<number>("order").put(key, 1);
    state.collection<number>("order").put("c", 2);
    expect([...openState(file).collection("order").keys()]).toEqual(["c", "a", "b"]);
  });
});

describe("a delayed view", () => {
  test("shows each change after the delay, and nothing before", async () => {
    const clock = new VirtualClock();
    const { current, delayed } = delayView(openState(file).collection<number>("numbers"), {
      clock,
      delayMs: 100,
      isDelaying: () => true,
    });
    current.put("a", 1);
    expect([current.get("a"), delayed.get("a"), delayed.size]).toEqual([1, undefined, 0]);
    await clock.advance(60);
    current.put("a", 2);
    expect(delayed.get("a")).toBeUndefined();
    await clock.advance(100);
    expect(delayed.get("a")).toBe(2);
    current.delete("a");
    expect([current.get("a"), delayed.get("a"), [...delayed.values()]]).toEqual([undefined, 2, [2]]);
    await clock.advance(100);
    expect(delayed.has("a")).toBe(false);
  });
});

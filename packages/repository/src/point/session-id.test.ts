import { seededRandom } from "@garrison/core/random";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { expect, test } from "vitest";
import { newSessionId, sessionStartMs } from "./session-id.ts";

const random = seededRandom("session-id");

test("a session's id begins with its second", () => {
  const clock = new VirtualClock(1_800_000_000_500);
  expect(sessionStartMs(newSessionId({ clock, random }))).toBe(1_800_000_000_000);
});

test("ids of one second sort behind the newest that is known", () => {
  const clock = new VirtualClock(1_800_000_000_000);
  let newest = newSessionId({ clock, random });
  for (let made = 0; made < 50; made++) {
    const next = newSessionId({ clock, random }, newest);
    expect(next > newest).toBe(true);
    newest = next;
  }
});

test("an id sorts behind one of a clock that was ahead", () => {
  const ahead = newSessionId({ clock: new VirtualClock(1_900_000_000_000), random });
  const clock = new VirtualClock(1_800_000_000_000);
  expect(newSessionId({ clock, random }, ahead) > ahead).toBe(true);
});

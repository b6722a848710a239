import { seededRandom } from "@garrison/core/random";
import { expect, test } from "vitest";
import { newIdentity, publicKeysOf } from "./peer-identity.ts";
import { formatAnnouncement, parseAnnouncement } from "./worker-announcement.ts";

const keys = publicKeysOf(newIdentity(seededRandom(1)));
const line = formatAnnouncement("d4c3b2a1", keys);

test("the keys are found among whatever else the bootstrap printed", () => {
  expect(parseAnnouncement(`fetching\n${line}\ndone\n`, "d4c3b2a1")).toEqual(keys);
});

test("the same line twice is one announcement: the bootstrap may have run again", () => {
  expect(parseAnnouncement(`${line}\r\n${line}\n`, "d4c3b2a1")).toEqual(keys);
});

const others = formatAnnouncement("d4c3b2a1", publicKeysOf(newIdentity(seededRandom(2))));
test.each([
  ["nothing", ""],
  ["another worker's keys", formatAnnouncement("ffffffff", keys)],
  ["a newer format", line.replace(" 1 ", " 2 ")],
  ["a cut line", line.slice(0, -3)],
  ["a line with more on it", `${line} more`],
  ["two different ones", `${line}\n${others}`],
])("%s is no announcement", (_, output) => {
  expect(() => parseAnnouncement(output, "d4c3b2a1")).toThrow(
    expect.objectContaining({ code: "announcement-invalid" }),
  );
});

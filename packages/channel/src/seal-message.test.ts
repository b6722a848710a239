import { seededRandom } from "@garrison/core/random";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MessageHeader } from "./message-header.ts";
import { newIdentity, publicKeysOf } from "./peer-identity.ts";
import { openChannelKeys, openMessage, sealMessage } from "./seal-message.ts";

const random = seededRandom("seal");
const appliance = newIdentity(random);
const worker = newIdentity(random);
const stranger = newIdentity(random);
const sending = openChannelKeys(appliance, publicKeysOf(worker));
const receiving = openChannelKeys(worker, publicKeysOf(appliance));
const header: MessageHeader = {
  version: 1,
  installation: "0a1b2c3d",
  run: "run-1",
  worker: "d4c3b2a1",
  direction: "to-worker",
  sequence: 1,
  type: "task",
};
const payload = Buffer.from('{"secret":"the task credentials"}');
const body = sealMessage(random, sending, { header, payload });

describe("a sealed message", () => {
  test("opens for its receiver, header and payload unchanged", () => {
    const opened = openMessage(receiving, body);
    expect(opened).toMatchObject({ outcome: "opened", header });
    expect(opened.outcome === "opened" && Buffer.from(opened.payload).equals(payload)).toBe(true);
  });

  test("shows its header and nothing of its payload", () => {
    const [, shown = ""] = body.split(".");
    expect(JSON.parse(Buffer.from(shown, "base64url").toString())).toEqual(header);
    const plain = body
      .split(".")
      .map((part) => Buffer.from(part, "base64url").toString("latin1"))
      .join("");
    expect(plain).not.toContain("secret");
  });

  test("is sealed anew each time: the same message twice has nothing in common but the header", () => {
    const again = sealMessage(random, sending, { header, payload });
    const [first, second] = [body, again].map((text) => text.split(".")[2]);
    expect(first?.slice(0, 20)).not.toBe(second?.slice(0, 20));
  });

  test("of a stranger is forged", () => {
    const forged = sealMessage(random, openChannelKeys(stranger, publicKeysOf(worker)), { header, payload });
    expect(openMessage(receiving, forged)).toEqual({ outcome: "forged" });
  });

  test("signed by the peer but sealed to somebody else is damaged", () => {
    const elsewhere = sealMessage(random, openChannelKeys(appliance, publicKeysOf(stranger)), {
      header,
      payload,
    });
    expect(openMessage(receiving, elsewhere)).toEqual({ outcome: "damaged" });
  });

  test("does not open for its own sender", () => {
    expect(openMessage(sending, body).outcome).not.toBe("opened");
  });

  test.each([1, 2, 3])("with one character of part %i changed never opens", (part) => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(..."Ax0_"), (position, letter) => {
        const parts = body.split(".");
        const text = parts[part] ?? "";
        const at = position % text.length;
        if (text[at] === letter) return;
        parts[part] = text.slice(0, at) + letter + text.slice(at + 1);
        expect(openMessage(receiving, parts.join(".")).outcome).not.toBe("opened");
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test("of any other text is foreign, and never an exception", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(openMessage(receiving, text).outcome).toBe("foreign");
        expect(openMessage(receiving, `g1.${text}`).outcome).toBe("foreign");
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test("larger than 256 KiB is refused before it is sent", () => {
    const large = { header, payload: new Uint8Array(200 * 1024) };
    expect(() => sealMessage(random, sending, large)).toThrow(/at most 262144/);
    expect(sealMessage(random, sending, { header, payload: new Uint8Array(190 * 1024) }).length).toBeLessThan(
      262_145,
    );
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeForward, encodeForward, findForwarded, type ForwardedItem } from "./forward.ts";
import { formatJson } from "./json-fields.ts";
import { forwardName, packName, parseForwardName, type ForwardName } from "./object-names.ts";

const name: ForwardName = {
  kind: "pack",
  origin: { session: "006b04dc400d99a8", lane: "e6e51313", number: 255 },
  target: { session: "006b04dc400d99a9", lane: "00000001", number: 2 },
};
const copy = { session: "006b04dc400d99aa", lane: "00000003", number: 7 };
const moved: ForwardedItem = { offset: 32, length: 500, newOffset: 1032, newLength: 500, codec: 1 };
const repaired: ForwardedItem = {
  offset: 600,
  length: 100,
  newOffset: 64,
  newLength: 90,
  codec: 0,
  sealedIn: copy,
};

const decode = (items: readonly ForwardedItem[]) =>
  decodeForward(formatJson(encodeForward(items)), name, "the forward").items;

test("a forward lies under the name of the pack that it speaks for", () => {
  const key = forwardName("local", name);
  expect(key).toBe("local/moved/pack/006b04dc400d99a8/e6e51313-000000ff/006b04dc400d99a9-00000001-00000002");
  expect(
    key.startsWith(`local/moved/${packName("local", "pack", name.origin).slice("local/".length)}/`),
  ).toBe(true);
  expect(parseForwardName(key)).toEqual(name);
  for (const other of [key.slice(0, -1), `${key}/`, key.replace("/pack/", "/point/")])
    expect(parseForwardName(other)).toBeUndefined();
});

test("the bytes of a forward are these", () => {
  expect(Buffer.from(formatJson(encodeForward([moved, repaired]))).toString()).toBe(
    '{"seals":[{"session":"006b04dc400d99aa","lane":"00000003","number":7}],' +
      '"items":"AAAAIAAAAfQAAAQIAAAB9AEAAAAAAlgAAABkAAAAQAAAAFoAAAE="}',
  );
});

const items = fc
  .uniqueArray(
    fc.record({
      offset: fc.nat(0xffffff),
      length: fc.integer({ min: 1, max: 0xffff }),
      newOffset: fc.nat(0xffffff),
      codec: fc.constantFrom(0 as const, 1 as const),
      repair: fc.option(fc.record({ newLength: fc.integer({ min: 1, max: 0xffff }), number: fc.nat(2) })),
    }),
    { selector: (item) => item.offset, maxLength: 60 },
  )
  .map((drawn) =>
    drawn
      .toSorted((left, right) => left.offset - right.offset)
      .map(({ repair, ...item }) =>
        repair === null
          ? { ...item, newLength: item.length }
          : { ...item, newLength: repair.newLength, sealedIn: { ...copy, number: repair.number } },
      ),
  );

test("moved and repaired items come back as they were, and each is found by its address alone", () => {
  fc.assert(
    fc.property(items, (drawn) => {
      const decoded = decode(drawn);
      expect(decoded).toEqual(drawn);
      const forward = { ...name, items: decoded };
      for (const item of drawn) {
        expect(findForwarded(forward, item)).toEqual(item);
        expect(findForwarded(forward, { ...item, length: item.length + 1 })).toBeUndefined();
      }
      expect(findForwarded(forward, { offset: 0x1000000, length: 1 })).toBeUndefined();
    }),
  );
});

test("a forward that contradicts itself is refused", () => {
  const bad: readonly (readonly ForwardedItem[])[] = [
    [repaired, moved],
    [moved, moved],
    [{ ...moved, newLength: 499 }],
    [{ ...moved, newOffset: 32 * 1024 * 1024 }],
    [{ ...moved, codec: 2 as never }],
    Array.from({ length: 4097 }, (_, at) => ({ ...moved, offset: at })),
  ];
  for (const each of bad)
    expect(() => decode(each)).toThrow(expect.objectContaining({ code: "object-malformed" }));
  const body = formatJson({ ...encodeForward([repaired]), seals: [] });
  expect(() => decodeForward(body, name, "the forward")).toThrow(/makes no sense/);
});

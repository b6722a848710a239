import { expect, test } from "vitest";
import { parseXml } from "./xml-parser.ts";

test("elements, attributes, entities and CDATA are read", () => {
  const element = parseXml(
    '<?xml version="1.0"?><!-- c --><a:Root xmlns:a="u"><Key t="1 &amp; 2">x &lt;&#65;&#x42;</Key><Empty/><D><![CDATA[<raw>]]></D></a:Root>',
  );
  expect(element).toMatchObject({
    name: "Root",
    children: [
      { name: "Key", attributes: { t: "1 & 2" }, text: "x <AB" },
      { name: "Empty", children: [] },
      { name: "D", text: "<raw>" },
    ],
  });
});

test.each(["", "<a>", "<a></b>", "<a/><b/>", '<!DOCTYPE x [<!ENTITY e "v">]><x>&e;</x>'])(
  "%j is refused",
  (text) => {
    expect(() => parseXml(text)).toThrow(/not well-formed/);
  },
);

import { DecodeError } from "./decode-error.ts";
import type { Member, Shape } from "./schema.ts";
import { readText } from "./text-values.ts";
import type { XmlElement } from "./xml-parser.ts";
import { xmlNameOf, type XmlMemberFilter } from "./xml-writer.ts";

/** An element's content as the SDK's input object. Elements that the model doesn't have are refused. */
export function readXmlStructure(
  shape: Shape,
  element: XmlElement,
  filter?: XmlMemberFilter,
): Record<string, unknown> {
  const output: Record<string, unknown> = {};
  const members = filter === undefined ? shape.members : shape.members.filter(filter);
  const known = new Set<string>();
  for (const member of members) {
    const name = xmlNameOf(member);
    known.add(name);
    if (member.traits["xmlAttribute"]) {
      const value = element.attributes[name];
      if (value !== undefined) output[member.name] = value;
      continue;
    }
    const found = element.children.filter((child) => child.name === name);
    if (found.length > 0) output[member.name] = readMember(member, found);
  }
  const stranger = element.children.find((child) => !known.has(child.name));
  if (stranger !== undefined)
    throw new DecodeError(
      "malformed-body",
      stranger.name,
      `The XML element ${stranger.name} is not known in ${element.name}`,
    );
  return output;
}

function readMember(member: Member, elements: readonly XmlElement[]): unknown {
  const { shape } = member;
  const first = elements[0]!;
  if (shape.kind === "structure") return readXmlStructure(shape, first);
  if (shape.kind === "list")
    return listItems(member, elements).map((item) => readMember(shape.value!, [item]));
  if (shape.kind === "map") return readMap(member, elements);
  return readText(member, shape.kind === "string" ? first.text : first.text.trim(), "date-time");
}

function listItems(member: Member, elements: readonly XmlElement[]): readonly XmlElement[] {
  return member.traits["xmlFlattened"] ? elements : elements[0]!.children;
}

function readMap(member: Member, elements: readonly XmlElement[]): Record<string, unknown> {
  const { key, value } = member.shape;
  const output: Record<string, unknown> = {};
  for (const entry of listItems(member, elements)) {
    const name = entry.children.find((child) => child.name === keyName(key!, "key"))?.text;
    const item = entry.children.find((child) => child.name === keyName(value!, "value"));
    if (name !== undefined && item !== undefined) output[name] = readMember(value!, [item]);
  }
  return output;
}

function keyName(member: Member, fallback: string): string {
  return (member.traits["xmlName"] as string | undefined) ?? fallback;
}

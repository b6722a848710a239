import type { Member, Shape } from "./schema.ts";
import { writeText } from "./text-values.ts";

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** A whole document: `<root xmlns=…>content</root>`. */
export function xmlDocument(root: string, content: string, namespace?: string): string {
  const attribute = namespace === undefined ? "" : ` xmlns="${escapeAttribute(namespace)}"`;
  return `${declaration}<${root}${attribute}>${content}</${root}>`;
}

export function xmlElement(name: string, text: string): string {
  return `<${name}>${escapeText(text)}</${name}>`;
}

export type XmlMemberFilter = (member: Member) => boolean;

/** The members of a structure, without an element around them. */
export function writeXmlMembers(shape: Shape, value: unknown, filter?: XmlMemberFilter): string {
  const source = value as Readonly<Record<string, unknown>>;
  let output = "";
  for (const member of shape.members) {
    const item = source[member.name];
    if (item === undefined || item === null || member.traits["xmlAttribute"]) continue;
    if (filter === undefined || filter(member)) output += writeMember(xmlNameOf(member), member, item);
  }
  return output;
}

/** The name that a member has as an element. */
export function xmlNameOf(member: Member): string {
  return (member.traits["xmlName"] as string | undefined) ?? member.name;
}

function writeMember(name: string, member: Member, value: unknown): string {
  const { shape } = member;
  if (shape.kind === "list") return writeList(name, member, value as Iterable<unknown>);
  if (shape.kind === "map") return writeMap(name, member, value as Readonly<Record<string, unknown>>);
  if (shape.kind === "structure")
    return `<${name}${attributes(member, value)}>${writeXmlMembers(shape, value)}</${name}>`;
  return `<${name}>${escapeText(writeText(member, value, "date-time"))}</${name}>`;
}

function writeList(name: string, member: Member, value: Iterable<unknown>): string {
  const item = member.shape.value!;
  const flat = Boolean(member.traits["xmlFlattened"]);
  const itemName = flat ? name : ((item.traits["xmlName"] as string | undefined) ?? "member");
  let content = "";
  for (const entry of value) content += writeMember(itemName, item, entry);
  return flat ? content : `<${name}>${content}</${name}>`;
}

function writeMap(name: string, member: Member, value: Readonly<Record<string, unknown>>): string {
  const key = member.shape.key!;
  const item = member.shape.value!;
  const flat = Boolean(member.traits["xmlFlattened"]);
  const entryName = flat ? name : "entry";
  const keyName = (key.traits["xmlName"] as string | undefined) ?? "key";
  const itemName = (item.traits["xmlName"] as string | undefined) ?? "value";
  let content = "";
  for (const [entryKey, entry] of Object.entries(value)) {
    content += `<${entryName}>${xmlElement(keyName, entryKey)}${writeMember(itemName, item, entry)}</${entryName}>`;
  }
  return flat ? content : `<${name}>${content}</${name}>`;
}

/** `xsi:type` of an S3 grantee is the one attribute that the models have. */
function attributes(member: Member, value: unknown): string {
  const namespace = member.traits["xmlNamespace"] as readonly [string, string] | string | undefined;
  let output = "";
  if (Array.isArray(namespace))
    output += ` xmlns:${String(namespace[0])}="${escapeAttribute(String(namespace[1]))}"`;
  for (const inner of member.shape.members) {
    const item = (value as Readonly<Record<string, unknown>>)[inner.name];
    if (inner.traits["xmlAttribute"] && item !== undefined)
      output += ` ${xmlNameOf(inner)}="${escapeAttribute(String(item))}"`;
  }
  return output;
}

const needsEscape = /[&<>\r]/;

function escapeText(text: string): string {
  if (!needsEscape.test(text)) return text;
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#xD;");
}

function escapeAttribute(text: string): string {
  return escapeText(text).replaceAll('"', "&quot;");
}

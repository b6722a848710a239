import { DecodeError } from "./decode-error.ts";

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

interface OpenElement extends XmlElement {
  readonly children: XmlElement[];
  text: string;
}

const token =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<(\/?)([^\s/>!]+)((?:\s+[^\s=>]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|([^<]+)/y;
const attribute = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/**
 * Reads the XML that clients send (S3 request bodies): elements, attributes, text, CDATA. Namespace prefixes are
 * dropped. Document type declarations are refused, so no entity can be defined.
 */
export function parseXml(text: string): XmlElement {
  const top: OpenElement = { name: "", attributes: {}, children: [], text: "" };
  const open: OpenElement[] = [top];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const hit = token.exec(text);
    if (hit === null) throw malformed();
    readToken(hit, open);
  }
  if (open.length !== 1 || top.children.length !== 1) throw malformed();
  return top.children[0]!;
}

function readToken(hit: RegExpExecArray, open: OpenElement[]): void {
  const [, cdata, closing, name, attributes, selfClosing, text] = hit;
  const current = open.at(-1)!;
  if (cdata !== undefined) current.text += cdata;
  else if (text !== undefined) current.text += unescape(text);
  else if (name === undefined) return;
  else if (closing) {
    if (open.length < 2 || current.name !== localName(name)) throw malformed();
    open.pop();
  } else {
    const element: OpenElement = {
      name: localName(name),
      attributes: readAttributes(attributes ?? ""),
      children: [],
      text: "",
    };
    current.children.push(element);
    if (!selfClosing) open.push(element);
  }
}

function readAttributes(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name, double, single] of text.matchAll(attribute))
    found[name!] = unescape(double ?? single ?? "");
  return found;
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescape(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#x[0-9a-fA-F]+|#\d+|\w+);/g, (whole, entity: string) => {
    if (entity.startsWith("#x")) return String.fromCodePoint(Number.parseInt(entity.slice(2), 16));
    if (entity.startsWith("#")) return String.fromCodePoint(Number(entity.slice(1)));
    return entities[entity] ?? whole;
  });
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function malformed(): DecodeError {
  return new DecodeError(
    "malformed-body",
    "",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );
}

import { DecodeError, unknownParameter } from "./decode-error.ts";
import type { Member, Shape } from "./schema.ts";
import { readText } from "./text-values.ts";

/** `query`: IAM, STS, and SQS of older clients. `ec2` flattens every list and has its own names. */
export type QueryDialect = "query" | "ec2";

/** The form's dotted names (`Filter.1.Value.2`) as a tree. */
interface FormNode {
  text?: string;
  readonly children: Map<string, FormNode>;
}

/** Reads a form-encoded body into the SDK's input object; parameters the model doesn't have are refused. */
export function readQueryInput(
  shape: Shape | undefined,
  form: URLSearchParams,
  dialect: QueryDialect,
): Record<string, unknown> {
  const root = formTree(form);
  if (shape === undefined) {
    const stranger = root.children.keys().next();
    if (!stranger.done) throw unknownParameter(stranger.value);
    return {};
  }
  return readStructure(shape, root, dialect);
}

function formTree(form: URLSearchParams): FormNode {
  const root: FormNode = { children: new Map() };
  for (const [name, value] of form) {
    if (name === "Action" || name === "Version") continue;
    let node = root;
    for (const part of name.split(".")) {
      let next = node.children.get(part);
      if (next === undefined) node.children.set(part, (next = { children: new Map() }));
      node = next;
    }
    node.text = value;
  }
  return root;
}

function readStructure(shape: Shape, node: FormNode, dialect: QueryDialect): Record<string, unknown> {
  const output: Record<string, unknown> = {};
  let seen = 0;
  for (const member of shape.members) {
    const child = node.children.get(memberKey(member, dialect));
    if (child === undefined) continue;
    seen += 1;
    output[member.name] = readMember(member, child, dialect);
  }
  if (node.children.size > seen) {
    const known = new Set(shape.members.map((member) => memberKey(member, dialect)));
    for (const name of node.children.keys()) if (!known.has(name)) throw unknownParameter(name);
  }
  return output;
}

function readMember(member: Member, node: FormNode, dialect: QueryDialect): unknown {
  const { shape } = member;
  if (shape.kind === "structure") return readStructure(shape, node, dialect);
  if (shape.kind === "list") return readList(member, node, dialect);
  if (shape.kind === "map") return readMap(member, node, dialect);
  return readText(member, node.text ?? "", "date-time");
}

function readList(member: Member, node: FormNode, dialect: QueryDialect): unknown[] {
  const value = member.shape.value!;
  const flat = dialect === "ec2" || Boolean(member.traits["xmlFlattened"]);
  const items = flat ? node : node.children.get(xmlName(value) ?? "member");
  return items === undefined ? [] : numbered(items).map((item) => readMember(value, item, dialect));
}

function readMap(member: Member, node: FormNode, dialect: QueryDialect): Record<string, unknown> {
  const { key, value } = member.shape;
  const entries = member.traits["xmlFlattened"] ? node : node.children.get("entry");
  const output: Record<string, unknown> = {};
  for (const entry of entries === undefined ? [] : numbered(entries)) {
    const name = entry.children.get(xmlName(key!) ?? "key")?.text;
    const item = entry.children.get(xmlName(value!) ?? "value");
    if (name === undefined)
      throw new DecodeError("missing-parameter", member.name, `an entry of ${member.name} has no key`);
    output[name] = item === undefined ? "" : readMember(value!, item, dialect);
  }
  return output;
}

/** Children with numbers for names, in that order; anything else in a list is a mistake of the caller's. */
function numbered(node: FormNode): FormNode[] {
  const items = [...node.children].map(([name, child]) => ({ index: Number(name), name, child }));
  const stranger = items.find(({ index }) => !Number.isInteger(index));
  if (stranger !== undefined) throw unknownParameter(stranger.name);
  return items.sort((a, b) => a.index - b.index).map(({ child }) => child);
}

function memberKey(member: Member, dialect: QueryDialect): string {
  const name = xmlName(member) ?? member.name;
  if (dialect === "query") return name;
  return (
    (member.traits["ec2QueryName"] as string | undefined) ?? name.charAt(0).toUpperCase() + name.slice(1)
  );
}

function xmlName(member: Member): string | undefined {
  return member.traits["xmlName"] as string | undefined;
}

/** What tests read Terraform's native syntax with: only what we write, and strictly. */
export type HclExpression =
  | { readonly kind: "template"; readonly parts: readonly (string | HclExpression)[] }
  | { readonly kind: "list"; readonly items: readonly HclExpression[] }
  | { readonly kind: "object"; readonly entries: readonly (readonly [string, HclExpression])[] }
  | { readonly kind: "call"; readonly name: string; readonly argument: HclExpression }
  | { readonly kind: "address"; readonly path: string };

export interface HclBlock {
  readonly type: string;
  readonly labels: readonly string[];
  readonly attributes: Readonly<Record<string, HclExpression>>;
  readonly blocks: readonly HclBlock[];
}

export function parseHcl(text: string): readonly HclBlock[] {
  const cursor = new Cursor(text);
  const blocks: HclBlock[] = [];
  cursor.skipBlank();
  while (!cursor.isAtEnd()) {
    blocks.push(parseBlock(cursor, cursor.take(identifier, "a block")));
    cursor.endLine();
  }
  return blocks;
}

const identifier = /[A-Za-z_][\w-]*/y;

class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  tryTake(pattern: RegExp | string): string | undefined {
    const source =
      typeof pattern === "string" ? pattern.replaceAll(/[${}()[\].*+?^|\\]/g, "\\$&") : pattern.source;
    const sticky = new RegExp(source, "y");
    sticky.lastIndex = this.#at;
    const [found] = sticky.exec(this.#text) ?? [];
    this.#at += found?.length ?? 0;
    return found;
  }

  take(pattern: RegExp | string, what: string): string {
    const found = this.tryTake(pattern);
    if (found !== undefined) return found;
    throw new SyntaxError(
      `${what} is expected at ${JSON.stringify(this.#text.slice(this.#at, this.#at + 40))}`,
    );
  }

  skipSpaces(): void {
    this.tryTake(/[ ]*/y);
  }

  skipBlank(): void {
    this.tryTake(/[ \n]*/y);
  }

  endLine(): void {
    this.take(/[ ]*\n/y, "the end of the line");
    this.skipBlank();
  }
}

function parseBlock(cursor: Cursor, type: string): HclBlock {
  const labels: string[] = [];
  for (cursor.skipSpaces(); cursor.tryTake("{") === undefined; cursor.skipSpaces()) {
    labels.push(JSON.parse(cursor.take(/"[^"\\$%\n]+"/y, "a label")) as string);
  }
  const attributes: Record<string, HclExpression> = {};
  const blocks: HclBlock[] = [];
  if (cursor.tryTake("}") !== undefined) return { type, labels, attributes, blocks };
  for (cursor.endLine(); cursor.tryTake("}") === undefined; cursor.endLine()) {
    const name = cursor.take(identifier, "an argument or block");
    cursor.skipSpaces();
    if (cursor.tryTake("=") === undefined) blocks.push(parseBlock(cursor, name));
    else if (name in attributes) throw new SyntaxError(`${name} is given twice`);
    else attributes[name] = parseExpression(cursor);
  }
  return { type, labels, attributes, blocks };
}

function parseExpression(cursor: Cursor): HclExpression {
  cursor.skipSpaces();
  if (cursor.tryTake('"') !== undefined) return parseTemplate(cursor);
  if (cursor.tryTake("[") !== undefined) return parseList(cursor);
  if (cursor.tryTake("{") !== undefined) return parseObject(cursor);
  const path = cursor.take(/[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*/y, "an expression");
  if (cursor.tryTake("(") === undefined) return { kind: "address", path };
  const argument = parseExpression(cursor);
  cursor.take(")", "the end of the call");
  return { kind: "call", name: path, argument };
}

function parseTemplate(cursor: Cursor): HclExpression {
  const parts: (string | HclExpression)[] = [];
  while (cursor.tryTake('"') === undefined) {
    if (cursor.tryTake("${") !== undefined) {
      parts.push(parseExpression(cursor));
      cursor.take("}", "the end of the interpolation");
      continue;
    }
    const escaped = cursor.tryTake(/\\["\\n]|\$\$\{|%%\{/y);
    const plain = escaped ?? cursor.take(/[^"\\\n$%]|[$%](?!\{)/y, "text");
    parts.push(escaped === undefined ? plain : unescape(escaped));
  }
  return { kind: "template", parts };
}

function unescape(escaped: string): string {
  return escaped.startsWith("\\") ? (JSON.parse(`"${escaped}"`) as string) : escaped.slice(1);
}

function parseList(cursor: Cursor): HclExpression {
  const items: HclExpression[] = [];
  for (cursor.skipBlank(); cursor.tryTake("]") === undefined; cursor.skipBlank()) {
    items.push(parseExpression(cursor));
    cursor.skipBlank();
    if (cursor.tryTake(",") !== undefined) continue;
    cursor.take("]", "a comma or the end of the list");
    break;
  }
  return { kind: "list", items };
}

function parseObject(cursor: Cursor): HclExpression {
  const entries: (readonly [string, HclExpression])[] = [];
  if (cursor.tryTake("}") !== undefined) return { kind: "object", entries };
  for (cursor.endLine(); cursor.tryTake("}") === undefined; cursor.endLine()) {
    const quoted = cursor.tryTake(/"[^"\\$%\n]+"/y);
    const key = quoted === undefined ? cursor.take(identifier, "a key") : (JSON.parse(quoted) as string);
    if (entries.some(([known]) => known === key)) throw new SyntaxError(`${key} is given twice`);
    cursor.take(/ *= /y, "an equals sign");
    entries.push([key, parseExpression(cursor)]);
  }
  return { kind: "object", entries };
}

/** The value of an expression in a scope that answers addresses (`var.external_id`). */
export function evaluateHcl(expression: HclExpression, resolve: (path: string) => unknown): unknown {
  switch (expression.kind) {
    case "template":
      return expression.parts
        .map((part) => (typeof part === "string" ? part : String(evaluateHcl(part, resolve))))
        .join("");
    case "list":
      return expression.items.map((item) => evaluateHcl(item, resolve));
    case "object":
      return Object.fromEntries(expression.entries.map(([key, value]) => [key, evaluateHcl(value, resolve)]));
    case "call":
      if (expression.name === "jsonencode") return JSON.stringify(evaluateHcl(expression.argument, resolve));
      throw new SyntaxError(`${expression.name} is a function that we don't write`);
    case "address":
      return resolve(expression.path);
  }
}

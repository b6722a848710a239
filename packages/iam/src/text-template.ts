import { anyText, appendLiteral, appendPattern } from "./wildcard-pattern.ts";

/** A piece of a policy's text: as written (its wildcards count), taken literally, or a policy variable. */
export type TemplatePart =
  | { readonly kind: "written"; readonly text: string }
  | { readonly kind: "literal"; readonly text: string }
  | {
      readonly kind: "variable";
      /** In lower case; `keyText` is as written. */
      readonly key: string;
      readonly keyText: string;
      readonly fallback?: string;
    };

export interface TextTemplate {
  readonly source: string;
  readonly parts: readonly TemplatePart[];
  readonly hasVariables: boolean;
  /** Whether nothing in it is replaced: neither variables nor escaped characters. */
  readonly isPlain: boolean;
  /** The pattern, where it is the same for every request: without variables. */
  readonly rendered?: RenderedPattern;
}

/** How a request answers for variables; the key is in lower case. */
export interface VariableSource {
  readVariable(key: string): { readonly value: string } | "absent" | "unknown";
}

const variableForm = /^\s*([^\s,{}](?:[^,{}]*[^\s,{}])?)\s*(?:,\s*'([^']*)'\s*)?$/;

/** `${key}`, `${key, 'default'}`, and `${*}` `${?}` `${$}` for the characters themselves; other `${...}` stays text. */
export function parseTemplate(source: string, withVariables: boolean): TextTemplate {
  const template = readTemplate(source, withVariables);
  const rendered = template.hasVariables ? undefined : renderPattern(template, noVariables);
  return rendered === undefined ? template : { ...template, rendered };
}

const noVariables: VariableSource = { readVariable: () => "absent" };

function readTemplate(source: string, withVariables: boolean): TextTemplate {
  if (!withVariables || !source.includes("${")) {
    return { source, parts: [{ kind: "written", text: source }], hasVariables: false, isPlain: true };
  }
  const parts: TemplatePart[] = [];
  let from = 0;
  let open = source.indexOf("${");
  while (open >= 0) {
    const close = source.indexOf("}", open);
    if (close < 0) break;
    const part = parsePlaceholder(source.slice(open + 2, close));
    if (part !== undefined) {
      if (open > from) parts.push({ kind: "written", text: source.slice(from, open) });
      parts.push(part);
      from = close + 1;
    }
    open = source.indexOf("${", part === undefined ? open + 2 : from);
  }
  if (from < source.length) parts.push({ kind: "written", text: source.slice(from) });
  return {
    source,
    parts,
    hasVariables: parts.some((part) => part.kind === "variable"),
    isPlain: parts.every((part) => part.kind === "written"),
  };
}

function parsePlaceholder(inside: string): TemplatePart | undefined {
  if (inside === "*" || inside === "?" || inside === "$") return { kind: "literal", text: inside };
  const found = variableForm.exec(inside);
  if (found?.[1] === undefined) return undefined;
  const variable = { kind: "variable", key: found[1].toLowerCase(), keyText: found[1] } as const;
  return found[2] === undefined ? variable : { ...variable, fallback: found[2] };
}

export interface RenderedPattern {
  readonly codes: readonly number[];
  /** Whether an unknown variable was replaced by "any text": a match then is only a possible one. */
  readonly isUnknown: boolean;
}

/** The template as a pattern for this request; undefined if one of its variables has no value. */
export function renderPattern(template: TextTemplate, source: VariableSource): RenderedPattern | undefined {
  if (template.rendered !== undefined) return template.rendered;
  const codes: number[] = [];
  let isUnknown = false;
  for (const part of template.parts) {
    if (part.kind === "written") appendPattern(codes, part.text);
    else if (part.kind === "literal") appendLiteral(codes, part.text);
    else {
      const value = source.readVariable(part.key);
      if (value === "unknown") {
        isUnknown = true;
        codes.push(anyText);
      } else if (value === "absent" && part.fallback === undefined) return undefined;
      else appendLiteral(codes, value === "absent" ? (part.fallback ?? "") : value.value);
    }
  }
  return { codes, isUnknown };
}

/** The same where wildcards are plain characters (`StringEquals`): text only becomes pattern for unknown variables. */
export function renderLiteral(template: TextTemplate, source: VariableSource): RenderedPattern | undefined {
  const parts = template.parts.map((part) =>
    part.kind === "written" ? { kind: "literal" as const, text: part.text } : part,
  );
  const { rendered: _asPattern, ...rest } = template;
  return renderPattern({ ...rest, parts }, source);
}

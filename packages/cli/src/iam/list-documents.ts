import type { LintKind } from "@garrison/iam/lint/policy-kinds";

/** One policy document of a file. */
export interface PlacedDocument {
  readonly file: string;
  readonly name?: string;
  readonly document: unknown;
  /** Where the file tells what the document is for. */
  readonly kind?: LintKind;
  /** The document as it is sent, where the file holds nothing else. */
  readonly text?: string;
  /** The role whose inline policies count together; those without one count as one role's. */
  readonly role?: string;
}

interface Source {
  readonly file: string;
  readonly text: string;
}

/** The documents of a file: one, a list, or the roles that `roles export` printed. */
export function listDocuments(json: unknown, { file, text }: Source): readonly PlacedDocument[] {
  if (Array.isArray(json)) {
    return json.map((each: unknown, place) => ({ file, ...named(each, String(place)) }));
  }
  if (isObject(json) && json["Statement"] === undefined) {
    if (Array.isArray(json["roles"]))
      return json["roles"].flatMap((role: unknown) => documentsOf(role, file));
    if (isNamed(json)) return [{ file, ...named(json, "0") }];
  }
  return [{ file, document: json, text }];
}

type NamedDocument = Pick<PlacedDocument, "name" | "document">;

function named(json: unknown, fallback: string): NamedDocument {
  if (!isObject(json) || !isNamed(json)) return { name: fallback, document: json };
  const name = typeof json["name"] === "string" ? json["name"] : fallback;
  return { name, document: json["policy"] ?? json["document"] };
}

function isNamed(json: Readonly<Record<string, unknown>>): boolean {
  return json["Statement"] === undefined && (json["policy"] ?? json["document"]) !== undefined;
}

function documentsOf(json: unknown, file: string): readonly PlacedDocument[] {
  if (!isObject(json)) return [{ file, document: json }];
  const role = String(json["roleName"] ?? json["name"] ?? "role");
  const place = (kind: LintKind) => (each: unknown, at: number) => {
    const { name = "", document } = named(each, String(at));
    return { file, role, kind, document, name: `${role}/${name}` };
  };
  const trust = json["trust"];
  return [
    ...(trust === undefined
      ? []
      : [{ file, role, kind: "trust" as const, document: trust, name: `${role}/trust` }]),
    ...listOf(json["inlinePolicies"]).map(place("inline")),
    ...listOf(json["managedPolicies"]).map(place("managed")),
  ];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

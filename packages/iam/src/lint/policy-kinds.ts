import type { StatementDocument } from "../policy-document.ts";

/** What a policy document is written for; it decides its size and which elements it may have. */
export const lintKinds = [
  "managed",
  "inline",
  "boundary",
  "session",
  "trust",
  "resource",
  "scp",
  "rcp",
  "endpoint",
] as const;

export type LintKind = (typeof lintKinds)[number];

export interface KindRules {
  /** Most characters; undefined where each service has a limit of its own. */
  readonly maxChars?: number;
  /** Whether white space counts: IAM leaves it out, the others take the document as it is sent. */
  readonly countsSpace: boolean;
  readonly principal: "required" | "forbidden" | "optional";
  readonly resource: "required" | "forbidden" | "optional";
  /** In words, for messages. */
  readonly words: string;
  /** What the size is the limit of, where it is more than one document. */
  readonly limited?: string;
}

const ofIdentity = { principal: "forbidden", resource: "required", countsSpace: false } as const;

export const kindRules: Readonly<Record<LintKind, KindRules>> = {
  managed: { ...ofIdentity, maxChars: 6_144, words: "a managed policy" },
  inline: {
    ...ofIdentity,
    maxChars: 10_240,
    words: "an inline policy",
    limited: "a role's inline policies together",
  },
  boundary: { ...ofIdentity, maxChars: 6_144, words: "a permissions boundary" },
  session: { ...ofIdentity, maxChars: 2_048, countsSpace: true, words: "a session policy" },
  trust: {
    maxChars: 2_048,
    countsSpace: false,
    principal: "required",
    resource: "forbidden",
    words: "a trust policy",
  },
  resource: { countsSpace: true, principal: "required", resource: "optional", words: "a resource policy" },
  scp: { ...ofIdentity, maxChars: 5_120, countsSpace: true, words: "a service control policy" },
  rcp: {
    maxChars: 5_120,
    countsSpace: true,
    principal: "required",
    resource: "required",
    words: "a resource control policy",
  },
  endpoint: {
    maxChars: 20_480,
    countsSpace: true,
    principal: "optional",
    resource: "optional",
    words: "a VPC endpoint policy",
  },
};

/** The likeliest kind of a document that doesn't say: a principal without resource is trust, with one a resource's. */
export function guessKind(statements: readonly StatementDocument[]): LintKind {
  const named = statements.filter(
    ({ Principal, NotPrincipal }) => Principal !== undefined || NotPrincipal !== undefined,
  );
  if (named.length === 0) return "managed";
  const hasResource = named.some(
    ({ Resource, NotResource }) => Resource !== undefined || NotResource !== undefined,
  );
  return hasResource ? "resource" : "trust";
}

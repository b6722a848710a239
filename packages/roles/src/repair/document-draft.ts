import type { NamedPolicy, OrganizationLevel } from "@garrison/iam/evaluation-case";
import type { CollectedPolicies } from "../policy-reader.ts";
import type { HeldRole } from "./held-role.ts";

export type DraftLayer = "identity" | "boundary" | "scp" | "rcp";

/** One IAM policy that decides about the role: as it is, and as the repair would have it. */
export interface DocumentDraft {
  readonly layer: DraftLayer;
  /** An inline policy's name, an attached one's ARN, an organisation policy's name. */
  readonly name: string;
  readonly attachedTo?: string;
  readonly before: object | undefined;
  now: object | undefined;
  /** What each edit was for, one sentence each. */
  readonly reasons: string[];
}

/** The organisation's part, as far as it could be read. */
export type Surroundings = Pick<CollectedPolicies, "serviceControlPolicies" | "resourceControlPolicies">;

export interface Drafts {
  readonly held: HeldRole;
  readonly documents: DocumentDraft[];
  /** Levels of the organisation by layer, in their order; a level without policies allows nothing. */
  readonly levels: Readonly<Record<"scp" | "rcp", readonly string[] | undefined>>;
}

export function openDrafts(held: HeldRole, surroundings: Surroundings): Drafts {
  const documents: DocumentDraft[] = [];
  const add = (
    layer: DraftLayer,
    policy: { readonly name: string; readonly document: object },
    attachedTo?: string,
  ) =>
    documents.push({
      layer,
      name: policy.name,
      ...(attachedTo === undefined ? {} : { attachedTo }),
      before: policy.document,
      now: policy.document,
      reasons: [],
    });
  for (const [name, document] of Object.entries(held.inlinePolicies)) add("identity", { name, document });
  for (const { arn, document } of held.attachedPolicies) add("identity", { name: arn, document });
  if (held.boundary !== undefined)
    add("boundary", { name: held.boundary.arn, document: held.boundary.document });
  const { resourceControlPolicies: rcp, serviceControlPolicies: scp } = surroundings;
  for (const [layer, levels] of [
    ["scp", scp],
    ["rcp", rcp],
  ] as const) {
    for (const { orgIdentifier, policies } of levels ?? [])
      for (const { name, policy } of policies)
        add(layer, { name: name ?? "", document: policy }, orgIdentifier);
  }
  const namesOf = (levels: readonly OrganizationLevel[] | undefined) =>
    levels?.map((level) => level.orgIdentifier);
  return { held, documents, levels: { scp: namesOf(scp), rcp: namesOf(rcp) } };
}

/** The drafts as the evaluator takes them. */
export function draftedPolicies(drafts: Drafts): CollectedPolicies {
  const { held, levels } = drafts;
  const named = (layer: DraftLayer, attachedTo?: string): readonly NamedPolicy[] =>
    drafts.documents.flatMap((draft) =>
      draft.layer === layer && draft.attachedTo === attachedTo && draft.now !== undefined
        ? [{ name: draft.name, policy: draft.now }]
        : [],
    );
  const levelsOf = (layer: "scp" | "rcp") =>
    levels[layer]?.map((orgIdentifier) => ({ orgIdentifier, policies: named(layer, orgIdentifier) }));
  const scp = levelsOf("scp");
  const rcp = levelsOf("rcp");
  return {
    roleArn: held.roleArn,
    trust: held.trust,
    identityPolicies: named("identity"),
    gaps: [],
    ...(held.boundary === undefined ? {} : { permissionBoundaries: named("boundary") }),
    ...(scp === undefined ? {} : { serviceControlPolicies: scp }),
    ...(rcp === undefined ? {} : { resourceControlPolicies: rcp }),
  };
}

/** What a repair may write: inline policies of Garrison's own names. */
export function isOwnPolicy({ layer, name }: Pick<DocumentDraft, "layer" | "name">): boolean {
  return layer === "identity" && name.startsWith("garrison-");
}

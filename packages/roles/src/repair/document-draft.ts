import type { NamedPolicy, OrganizationLevel } from "@garrison/iam/evaluation-case";
import type { SeenPolicies } from "../seen-policies.ts";
import type { HeldRole } from "./held-role.ts";

export type DraftLayer = "identity" | "boundary" | "scp" | "rcp" | "resource" | "vpc-endpoint";

/** One IAM policy that decides about the role: as it is, and as the repair would have it. */
export interface DocumentDraft {
  readonly layer: DraftLayer;
  /** An inline policy's name, an attached one's ARN, an organisation policy's name, the ARN of a bucket or key. */
  readonly name: string;
  readonly attachedTo?: string;
  /** Of a VPC endpoint: the service that it leads to. */
  readonly service?: string;
  readonly before: object | undefined;
  now: object | undefined;
  /** What each edit was for, one sentence each. */
  readonly reasons: string[];
}

/** What else decides about the role, as far as it could be read. */
export type Surroundings = Partial<
  Pick<
    SeenPolicies,
    | "serviceControlPolicies"
    | "resourceControlPolicies"
    | "resourcePolicies"
    | "endpointPolicies"
    | "organizationId"
    | "testedKeys"
  >
>;

export interface Drafts {
  readonly held: HeldRole;
  readonly surroundings: Surroundings;
  readonly documents: DocumentDraft[];
  /** Levels of the organisation by layer, in their order; a level without policies allows nothing. */
  readonly levels: Readonly<Record<"scp" | "rcp", readonly string[] | undefined>>;
}

type Place = Pick<DocumentDraft, "layer" | "name"> & Partial<Pick<DocumentDraft, "attachedTo" | "service">>;

export function openDrafts(held: HeldRole, surroundings: Surroundings): Drafts {
  const documents: DocumentDraft[] = [];
  const add = (place: Place, document: object) =>
    documents.push({ ...place, before: document, now: document, reasons: [] });
  for (const [name, document] of Object.entries(held.inlinePolicies))
    add({ layer: "identity", name }, document);
  for (const { arn, document } of held.attachedPolicies) add({ layer: "identity", name: arn }, document);
  if (held.boundary !== undefined)
    add({ layer: "boundary", name: held.boundary.arn }, held.boundary.document);
  const {
    endpointPolicies,
    resourceControlPolicies: rcp,
    resourcePolicies,
    serviceControlPolicies: scp,
  } = surroundings;
  for (const [layer, levels] of [
    ["scp", scp],
    ["rcp", rcp],
  ] as const) {
    for (const { orgIdentifier: attachedTo, policies } of levels ?? [])
      for (const { name = "", policy } of policies) add({ layer, name, attachedTo }, policy);
  }
  for (const [name, document] of Object.entries(resourcePolicies ?? {}))
    add({ layer: "resource", name }, document);
  for (const [service, { name = "", policy }] of Object.entries(endpointPolicies ?? {}))
    add({ layer: "vpc-endpoint", name, service }, policy);
  const namesOf = (levels: readonly OrganizationLevel[] | undefined) =>
    levels?.map((level) => level.orgIdentifier);
  return { held, surroundings, documents, levels: { scp: namesOf(scp), rcp: namesOf(rcp) } };
}

/** The drafts as the evaluator takes them. */
export function draftedPolicies(drafts: Drafts): SeenPolicies {
  const { documents, held, levels, surroundings } = drafts;
  const named = (layer: DraftLayer, attachedTo?: string): readonly NamedPolicy[] =>
    documents.flatMap((draft) =>
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
    testedKeys: surroundings.testedKeys ?? [],
    resourcePolicies: Object.fromEntries(
      documents.flatMap(({ layer, name, now }) =>
        layer === "resource" && now !== undefined ? [[name, now]] : [],
      ),
    ),
    endpointPolicies: Object.fromEntries(
      documents.flatMap(({ layer, name, now, service = "" }) =>
        layer === "vpc-endpoint" && now !== undefined ? [[service, { name, policy: now }]] : [],
      ),
    ),
    ...(surroundings.organizationId === undefined ? {} : { organizationId: surroundings.organizationId }),
    ...(held.boundary === undefined ? {} : { permissionBoundaries: named("boundary") }),
    ...(scp === undefined ? {} : { serviceControlPolicies: scp }),
    ...(rcp === undefined ? {} : { resourceControlPolicies: rcp }),
  };
}

/** What a repair may write: inline policies of Garrison's own names. */
export function isOwnPolicy({ layer, name }: Pick<DocumentDraft, "layer" | "name">): boolean {
  return layer === "identity" && name.startsWith("garrison-");
}

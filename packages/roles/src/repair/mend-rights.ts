import type { EvaluationResult, LayerVerdict, MatchedStatement } from "@garrison/iam/evaluation-case";
import { patchDocument, type PolicyPatch } from "@garrison/iam/policy-patch";
import type { ChainSubject } from "../chain-subjects.ts";
import { evaluateProbe } from "../evaluate-probe.ts";
import { policyNameOf } from "../explain-simulation.ts";
import { grantProbes, type GrantProbe } from "../grant-probes.ts";
import type { PolicyStatement } from "../policy-statement.ts";
import { policyHolderOf } from "../seen-policies.ts";
import { draftedPolicies, isOwnPolicy, type DocumentDraft, type Drafts } from "./document-draft.ts";
import { addStatement, exemptPrincipal, liftAction, replaceStatement, statementsOf } from "./edit-policy.ts";
import { wantedStatement, type WantedForm } from "./wanted-form.ts";

export interface Mending {
  readonly subject: ChainSubject;
  readonly wanted: WantedForm;
  readonly drafts: Drafts;
}

interface Asked {
  readonly probe: GrantProbe;
  readonly action: string;
  readonly resource: string;
}

/** More edits than that for one action on one resource would be going round in circles. */
const maxEdits = 12;

/**
 * Asks the evaluator for every right of the role and edits the drafts until each is there: an allow is added where the
 * layer is silent, a deny is lifted where it stands. Rights that a role may lack are added only to a policy of ours that
 * isn't there at all. Answers what no edit mends.
 */
export function mendRights(mending: Mending): readonly string[] {
  const probes = grantProbes(mending.subject);
  const unmended = probes
    .filter(({ grant }) => grant.neededWhen === undefined)
    .flatMap((probe) => pairsOf(probe).flatMap((asked) => mendPair(mending, asked)));
  for (const probe of probes) {
    if (probe.grant.neededWhen !== undefined && isPolicyNew(mending, probe)) completePolicy(mending, probe);
  }
  return [...new Set(unmended)];
}

function pairsOf(probe: GrantProbe): readonly Asked[] {
  return probe.actions.flatMap((action) => probe.resources.map((resource) => ({ probe, action, resource })));
}

function mendPair(mending: Mending, asked: Asked): readonly string[] {
  const { action, resource } = asked;
  for (let edits = 0; edits < maxEdits; edits++) {
    const { patches = [], result, sentence, verdict } = ask(mending, asked);
    if (verdict !== "denied") return [];
    const isEdited = result.layers.some((layer) =>
      layer.layer === "resource" || layer.layer === "vpc-endpoint"
        ? patchRemote(mending, asked, { patches, layer, sentence })
        : mendLayer(mending, asked, { result, layer, sentence }),
    );
    if (!isEdited) return [sentence];
  }
  return [`${mending.subject.roleArn} may still not do ${action} on ${resource}.`];
}

function ask({ drafts, subject }: Mending, { probe, action, resource }: Asked) {
  return evaluateProbe({ subject, policies: draftedPolicies(drafts) }, probe, { action, resource });
}

interface Blocked {
  readonly result: EvaluationResult;
  readonly layer: LayerVerdict;
  readonly sentence: string;
}

/** True when something was edited. One edit at a time: the next look sees what is left. */
function mendLayer(mending: Mending, asked: Asked, { layer, result, sentence }: Blocked): boolean {
  if (layer.verdict === "denies") {
    const denying = result.matched.filter((one) => one.layer === layer.layer && one.effect === "Deny");
    return denying.some((matched) => liftDeny(mending, asked, { matched, sentence }));
  }
  if (layer.verdict !== "does-not-allow") return false;
  const draft = silentDraft(mending.drafts, layer, policyNameOf(asked.probe.operation));
  const statement = wantedStatement(mending.wanted, asked.probe);
  if (draft === undefined || statement === undefined) return false;
  const isForeign = !isOwnPolicy(draft);
  const added = isForeign ? { ...statement, Action: [asked.action], ...everywhere(layer) } : statement;
  return edit(draft, addStatement(draft.now, added, isForeign), sentence);
}

/** An organisation's allow list names actions; what they are used on is the role's own policies' business. */
function everywhere({ layer }: LayerVerdict): Partial<PolicyStatement> {
  return layer === "scp" || layer === "rcp" ? { Resource: ["*"], Condition: {} } : {};
}

/** Policies of buckets, keys and endpoints name whom they are for: the evaluator's own patch says how. */
function patchRemote(
  { drafts }: Mending,
  { action, resource }: Asked,
  blocked: Pick<Blocked, "layer" | "sentence"> & { readonly patches: readonly PolicyPatch[] },
): boolean {
  const { layer } = blocked.layer;
  const patch = blocked.patches.find((one) => one.layer === layer);
  const draft = drafts.documents.find(
    (one) =>
      one.layer === layer &&
      (layer === "resource" ? one.name === policyHolderOf(resource) : one.service === action.split(":")[0]),
  );
  if (patch === undefined || draft?.now === undefined) return false;
  return edit(draft, patchDocument(draft.now, patch), blocked.sentence);
}

function liftDeny(
  { drafts, subject }: Mending,
  { action }: Asked,
  { matched, sentence }: { readonly matched: MatchedStatement; readonly sentence: string },
): boolean {
  const draft = drafts.documents.find(
    (one) =>
      one.layer === matched.layer && one.name === matched.policy && one.attachedTo === matched.orgIdentifier,
  );
  const statement = draft?.now === undefined ? undefined : statementsOf(draft.now)[matched.index];
  if (draft?.now === undefined || statement === undefined) return false;
  // What AWS wrote can't be edited by anybody: it can only be taken off the role.
  if (/^arn:[\w-]+:iam::aws:policy\//.test(draft.name)) return edit(draft, undefined, sentence);
  const by = isOwnPolicy(draft) ? liftAction(statement, action) : exemptPrincipal(statement, subject.roleArn);
  return edit(draft, replaceStatement(draft.now, matched.index, by), sentence);
}

/** Where the missing allow belongs: our own policy of the operation, the boundary, the first level that is closed. */
function silentDraft(drafts: Drafts, layer: LayerVerdict, ownName: string): DocumentDraft | undefined {
  const [attachedTo] = layer.closedLevels ?? [];
  switch (layer.layer) {
    case "identity":
      return draftNamed(drafts, { layer: "identity", name: ownName });
    case "boundary":
      return drafts.documents.find((draft) => draft.layer === "boundary");
    case "scp":
    case "rcp":
      return attachedTo === undefined
        ? undefined
        : (drafts.documents.find((draft) => draft.layer === layer.layer && draft.attachedTo === attachedTo) ??
            draftNamed(drafts, { layer: layer.layer, name: "garrison-allow", attachedTo }));
    default:
      return undefined;
  }
}

function draftNamed(
  drafts: Drafts,
  wanted: Pick<DocumentDraft, "layer" | "name"> & { readonly attachedTo?: string },
): DocumentDraft {
  const known = drafts.documents.find((draft) => draft.layer === wanted.layer && draft.name === wanted.name);
  if (known !== undefined) return known;
  const made: DocumentDraft = { ...wanted, before: undefined, now: undefined, reasons: [] };
  drafts.documents.push(made);
  return made;
}

function edit(draft: DocumentDraft, now: object | undefined, reason: string): boolean {
  if (JSON.stringify(now) === JSON.stringify(draft.now)) return false;
  draft.now = now;
  if (!draft.reasons.includes(reason)) draft.reasons.push(reason);
  return true;
}

function isPolicyNew({ drafts }: Mending, { operation }: GrantProbe): boolean {
  const name = policyNameOf(operation);
  return drafts.documents.some(
    (draft) => draft.layer === "identity" && draft.name === name && draft.before === undefined,
  );
}

/** A policy of ours that is written anew is written whole, with what is needed only now and then. */
function completePolicy(mending: Mending, probe: GrantProbe): void {
  const isLacking = pairsOf(probe).some((asked) => ask(mending, asked).verdict === "denied");
  const statement = wantedStatement(mending.wanted, probe);
  const draft = draftNamed(mending.drafts, { layer: "identity", name: policyNameOf(probe.operation) });
  if (isLacking && statement !== undefined) draft.now = addStatement(draft.now, statement, false);
}

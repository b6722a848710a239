import { parseRoleArn } from "../role-arn.ts";
import { isOwnPolicy, type DocumentDraft, type Drafts } from "./document-draft.ts";
import { statementsOf } from "./edit-policy.ts";
import type { OwnerPatch, StatementChange } from "./repair-plan.ts";

/** The drafts that were edited though they aren't the role's to write, as patches for those whose they are. */
export function ownerPatches(drafts: Drafts): readonly OwnerPatch[] {
  return drafts.documents
    .filter((draft) => !isOwnPolicy(draft) && draft.now !== draft.before)
    .map((draft) => ({
      layer: draft.layer,
      policy: draft.name,
      ...(draft.attachedTo === undefined ? {} : { attachedTo: draft.attachedTo }),
      owner: ownerOf(draft, drafts.held.roleArn),
      sentence: draft.reasons.join(" "),
      statements: statementChanges(draft.before, draft.now),
      ...(draft.before === undefined ? {} : { before: draft.before }),
      ...(draft.now === undefined ? {} : { after: draft.now }),
    }));
}

function ownerOf({ layer, name }: DocumentDraft, roleArn: string): string {
  const { accountId, roleName } = parseRoleArn(roleArn);
  if (layer === "scp" || layer === "rcp") {
    return "the organisation's management account, or its delegated administrator for organisation policies";
  }
  const administrators = `the IAM administrators of account ${accountId}`;
  if (layer === "resource") return `whoever owns ${name}: its own policy`;
  if (layer === "vpc-endpoint")
    return `the network administrators of account ${accountId}: the policy of the endpoint`;
  if (layer === "boundary") return `${administrators}, who limit ${roleName} and perhaps other roles by it`;
  if (/^arn:[\w-]+:iam::aws:policy\//.test(name))
    return `${administrators}: AWS's own policy can only be detached from ${roleName}`;
  if (name.startsWith("arn:")) return `${administrators}: a managed policy, which other roles may share`;
  return `whoever wrote the inline policy ${name} of ${roleName}: it isn't named garrison-`;
}

/** Statement by statement what differs; one that stands in both is left out. */
export function statementChanges(
  before: object | undefined,
  after: object | undefined,
): readonly StatementChange[] {
  const texts = (document: object | undefined) =>
    document === undefined ? [] : statementsOf(document).map((statement) => JSON.stringify(statement));
  const [former, next] = [texts(before), texts(after)];
  const gone = former.filter((text) => !next.includes(text));
  const come = next.filter((text) => !former.includes(text));
  const parse = (text: string) => JSON.parse(text) as { readonly Sid?: string };
  const paired = new Set<string>();
  const changes = gone.map((text) => {
    const { Sid } = parse(text);
    const at = former.indexOf(text);
    const successor = come.find(
      (one) => !paired.has(one) && (Sid === undefined ? next.indexOf(one) === at : parse(one).Sid === Sid),
    );
    if (successor === undefined) return { before: parse(text) };
    paired.add(successor);
    return { before: parse(text), after: parse(successor) };
  });
  return [...changes, ...come.filter((text) => !paired.has(text)).map((text) => ({ after: parse(text) }))];
}

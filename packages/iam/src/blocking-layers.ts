import {
  dependsOnResource,
  hasIdentity,
  isResourceOpen,
  mayResourceOpen,
  type Verdicts,
} from "./decide-grant.ts";
import type { PoliciesVerdict } from "./evaluate-policies.ts";
import type { Decision, Layer } from "./evaluation-case.ts";
import type { RequestContext } from "./request-context.ts";
import { type Truth, unknown, yes } from "./truth.ts";

interface Blocked {
  readonly verdicts: Verdicts;
  readonly grant: Truth;
  readonly decision: Decision;
  readonly request: RequestContext;
  readonly isIdentitySide: boolean;
}

const grantingLayers: ReadonlySet<Layer> = new Set(["identity", "resource", "kms-grant", "acl"]);

/** The layers that a person has to look at for the request to pass: the granting ones first, then the limiting ones. */
export function listBlocking(blocked: Blocked): readonly Layer[] {
  const { verdicts, decision, grant } = blocked;
  const entries = (Object.entries(verdicts) as [Layer, PoliciesVerdict | undefined][]).filter(
    (entry): entry is [Layer, PoliciesVerdict] => entry[1] !== undefined,
  );
  if (decision === "ExplicitlyDenied") {
    const certain = entries.filter(([, { deny }]) => deny === yes);
    const denying = certain.length > 0 ? certain : entries.filter(([, { deny }]) => deny === unknown);
    return denying.map(([layer]) => layer);
  }
  const limiting = entries.filter(([layer, verdict]) => {
    if (grantingLayers.has(layer)) return false;
    const hasNoSay = grant === yes && (layer === "boundary" || layer === "session");
    return (verdict.allow !== yes && !hasNoSay) || isDoubtful(verdict, decision);
  });
  return [...listMissingGrants(blocked), ...limiting.map(([layer]) => layer)];
}

/** A deny that may hold matters only where the decision is open. */
function isDoubtful(verdict: PoliciesVerdict | undefined, decision: Decision): boolean {
  return decision === "Unknown" && verdict?.deny === unknown;
}

/** Which of the two granting sides is missing; where either would do, the identity's policies are named. */
function listMissingGrants({
  verdicts,
  grant,
  decision,
  request,
  isIdentitySide,
}: Blocked): readonly Layer[] {
  const { identity, resource } = verdicts;
  const missing: Layer[] = [];
  const isIdentityShut = hasIdentity(request) && request.principal.kind !== "root" && identity?.allow !== yes;
  if ((grant !== yes && isIdentityShut) || isDoubtful(identity, decision)) missing.push("identity");
  const isResourceShut =
    grant !== yes && !isResourceOpen(verdicts) && !isIdentitySide && dependsOnResource(request);
  const mayGrant = decision === "Unknown" && grant !== yes && mayResourceOpen(verdicts);
  if (isResourceShut || mayGrant || isDoubtful(resource, decision)) missing.push("resource");
  return missing;
}

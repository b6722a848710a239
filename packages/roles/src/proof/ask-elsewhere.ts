import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationRequest } from "@garrison/iam/evaluation-case";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { RoleDocuments } from "../export-role.ts";
import { foreignRequests } from "./foreign-requests.ts";
import type { ProvenAction } from "./proof-record.ts";
import type { ProofSubject } from "./proof-subject.ts";

/**
 * Asks, by the role's whole documents, for what the grant does not cover: a request of the run with one thing changed.
 * The request itself has to be allowed, or the question would prove nothing.
 */
export function askElsewhere(
  { grant, role, action }: ProofSubject,
  documents: RoleDocuments,
  request: EvaluationRequest,
): Pick<ProvenAction, "deniedElsewhere" | "allowedElsewhere"> {
  const policies = [...documents.inlinePolicies, ...documents.managedPolicies];
  const identityPolicies = policies.map(({ name, document }) => ({ name, policy: document }));
  const isAllowed = (asked: EvaluationRequest): boolean =>
    evaluate({ request: asked, identityPolicies }, { scope: "identity-side" }).decision === "Allowed";
  if (!isAllowed(request)) {
    throw new GarrisonError("internal", `${role} was seen to use ${action}, which its documents don't give`);
  }
  const asked = foreignRequests(grant, request).map(({ label, request: other }) => ({
    label,
    isAllowed: isAllowed(other),
  }));
  const labels = (allowed: boolean) =>
    asked.filter((one) => one.isAllowed === allowed).map(({ label }) => label);
  const [denied, open] = [labels(false), labels(true)];
  return {
    ...(denied.length === 0 ? {} : { deniedElsewhere: denied }),
    ...(open.length === 0 ? {} : { allowedElsewhere: open }),
  };
}

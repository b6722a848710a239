import { aclPolicies } from "./acl-policies.ts";
import type { EvaluationCase, Layer, NamedPolicy, OrganizationLevel } from "./evaluation-case.ts";
import { grantPolicies } from "./grant-policies.ts";

export interface LayerPolicies {
  readonly layer: Layer;
  readonly policies: readonly NamedPolicy[];
  readonly orgIdentifier?: string;
}

/** The policies of a case's layer as sets that are evaluated each by itself: one, or one for each organisation level. */
export function listLayerPolicies(given: EvaluationCase, layer: Layer): readonly LayerPolicies[] {
  switch (layer) {
    case "identity":
      return oneSet(layer, given.identityPolicies);
    case "boundary":
      return oneSet(layer, given.permissionBoundaries);
    case "session":
      return oneSet(layer, given.sessionPolicy === undefined ? undefined : [{ policy: given.sessionPolicy }]);
    case "resource":
      return oneSet(
        layer,
        given.resourcePolicy === undefined ? undefined : [{ policy: given.resourcePolicy }],
      );
    case "kms-grant":
      return oneSet(layer, given.kmsGrants === undefined ? undefined : grantPolicies(given.kmsGrants));
    case "acl":
      return oneSet(layer, given.bucket === undefined ? undefined : aclPolicies(given));
    case "public-access-block":
      return [];
    case "scp":
      return levelSets(layer, given.serviceControlPolicies);
    case "rcp":
      return levelSets(layer, given.resourceControlPolicies);
    case "vpc-endpoint":
      return oneSet(layer, given.vpcEndpointPolicies);
  }
}

function oneSet(layer: Layer, policies: readonly NamedPolicy[] | undefined): readonly LayerPolicies[] {
  return policies === undefined ? [] : [{ layer, policies }];
}

function levelSets(layer: Layer, levels: readonly OrganizationLevel[] | undefined): readonly LayerPolicies[] {
  return (levels ?? []).map(({ orgIdentifier, policies }) => ({ layer, policies, orgIdentifier }));
}

/** The name that answers use for a policy that was given without one. */
export function policyName(layer: Layer, named: NamedPolicy, place: number): string {
  return named.name ?? (place === 0 ? `${layer} policy` : `${layer} policy ${place + 1}`);
}

import type { EvaluationCase, EvaluationResult, Layer } from "./evaluation-case.ts";

const words: Readonly<Record<Layer, string>> = {
  identity: "IAM policy",
  boundary: "permissions boundary",
  session: "session policy",
  resource: "resource policy",
  "kms-grant": "KMS grant",
  acl: "ACL",
  "public-access-block": "Block Public Access",
  scp: "service control policy",
  rcp: "resource control policy",
  "vpc-endpoint": "VPC endpoint policy",
};

/** What people call the policies of a layer; a role's resource policy is its trust policy, a key's its key policy. */
export function layerWord(layer: Layer, { request }: EvaluationCase): string {
  if (layer !== "resource") return words[layer];
  const { resource } = request.resource;
  if (/^arn:[^:]*:iam:.*:role\//.test(resource)) return "trust policy";
  if (/^arn:[^:]*:kms:/.test(resource)) return "key policy";
  return words.resource;
}

/** "the session policy does not allow it": a layer that ends a request by its silence. */
export function describeSilence(layer: Layer, given: EvaluationCase, result: EvaluationResult): string {
  const word = layerWord(layer, given);
  const closed = result.layers.find((each) => each.layer === layer)?.closedLevels ?? [];
  switch (layer) {
    case "identity":
      return "no IAM policy of the caller allows it";
    case "resource": {
      const { accountId } = given.request.resource;
      if (given.resourcePolicy !== undefined) return `the ${word} in account ${accountId} does not allow it`;
      return `the resource in account ${accountId} has no ${word} that allows it`;
    }
    case "scp":
    case "rcp":
      return `no ${word} at ${closed.join(" and ")} allows it`;
    case "public-access-block":
      return describePublicAccess(given);
    default:
      return `the ${word} does not allow it`;
  }
}

function describePublicAccess({ bucket, request }: EvaluationCase): string {
  const owner = request.resource.accountId;
  return bucket?.publicAccessBlock?.restrictPublicBuckets === true && !/:Put|:Create/i.test(request.action)
    ? `Block Public Access (RestrictPublicBuckets) keeps everyone but account ${owner} out, since the bucket's policy is public`
    : "Block Public Access refuses it";
}

export interface StatementPlace {
  readonly layer: Layer;
  readonly policy: string;
  readonly orgIdentifier?: string;
  readonly sid?: string;
  readonly index: number;
}

/** "statement "Sid" of the service control policy "name" at r-root". */
export function describeStatement(place: StatementPlace, given: EvaluationCase): string {
  const statement =
    place.sid === undefined ? `Statement[${place.index}]` : `statement ${JSON.stringify(place.sid)}`;
  const word = layerWord(place.layer, given);
  if (place.layer === "kms-grant") return `the ${word} ${JSON.stringify(place.policy)}`;
  if (place.layer === "acl") return `the entry ${JSON.stringify(place.sid)} of the ${place.policy}`;
  const isUnnamed = place.policy.startsWith(`${place.layer} policy`);
  const at = place.orgIdentifier === undefined ? "" : ` at ${place.orgIdentifier}`;
  return `${statement} of the ${word}${isUnnamed ? "" : ` ${JSON.stringify(place.policy)}`}${at}`;
}

/** Who asks, for a sentence. */
export function describeCaller({ request }: EvaluationCase): string {
  return typeof request.principal === "string" ? request.principal : "An anonymous caller";
}

/** A list for a sentence, shortened: people act on the first few. */
export function listWords(values: readonly string[]): string {
  const shown = values.slice(0, 4).map((value) => JSON.stringify(value));
  const rest = values.length - shown.length;
  return `${shown.join(" or ")}${rest > 0 ? ` (or ${rest} more)` : ""}`;
}

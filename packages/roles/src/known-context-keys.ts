import { roleCatalogue } from "./role-catalogue.ts";

/** What the check tells about every request, besides what the conditions of the grants ask for. */
const everyRequest = [
  "aws:PrincipalAccount",
  "aws:PrincipalArn",
  "aws:RequestedRegion",
  "aws:SecureTransport",
  "aws:TagKeys",
  "aws:ViaAWSService",
  "ec2:Region",
];

/**
 * The context keys that mean nothing when the simulator misses them: it lists keys of every statement of the role, also of
 * those that have nothing to do with the action asked for. Lower case, as IAM compares keys.
 */
export function knownContextKeys(): ReadonlySet<string> {
  const grants = roleCatalogue.flatMap((role) => role.operations.flatMap((operation) => operation.grants));
  const tested = grants.flatMap(({ conditions }) => Object.values(conditions ?? {}).flatMap(Object.keys));
  return new Set([...everyRequest, ...tested].map((key) => key.toLowerCase()));
}

/** Those that the catalogue doesn't know: somebody else's conditions. */
export function foreignKeys(keys: readonly string[], known: ReadonlySet<string>): readonly string[] {
  return keys.filter((key) => !known.has(key.toLowerCase()));
}

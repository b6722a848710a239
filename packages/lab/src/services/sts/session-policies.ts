import { deflateRawSync } from "node:zlib";
import type { StoredSession } from "../../identity/caller-principal.ts";
import type { Lab } from "../../lab.ts";
import { AwsError } from "../../wire/aws-error.ts";
import { checkPolicyDocument } from "../iam/check-policy-document.ts";
import { validationError } from "./validation.ts";

export interface SessionPolicyInput {
  readonly Policy?: string | undefined;
  readonly PolicyArns?: readonly { readonly arn?: string | undefined }[] | undefined;
}

export interface SessionPolicies {
  readonly policies: NonNullable<StoredSession["sessionPolicies"]>;
  /** Percent of the packed limit that policies and tags take; over 100 is refused. */
  readonly packedPercent: number | undefined;
}

const maxPlainCharacters = 2048;
const maxArns = 10;
/** AWS doesn't tell its packing; deflate against this size is close to what people report. */
const packedLimitBytes = 1024;

/** Checks the session policies of an AssumeRole call and resolves managed ones to what they say now. */
export function readSessionPolicies(
  lab: Lab,
  input: SessionPolicyInput,
  session: { readonly accountId: string; readonly tags: Readonly<Record<string, string>> },
): SessionPolicies {
  const arns = (input.PolicyArns ?? []).map(({ arn }) => arn ?? "");
  if (arns.length > maxArns)
    throw validationError(`The number of managed session policies (${arns.length}) exceeds ${maxArns}.`);
  const plain = (input.Policy?.length ?? 0) + arns.reduce((sum, arn) => sum + arn.length, 0);
  if (plain > maxPlainCharacters) {
    throw validationError(
      `1 validation error detected: the session policies have ${plain} characters; Member must have length less than or equal to ${maxPlainCharacters}`,
    );
  }
  if (input.Policy !== undefined) checkPolicyDocument(input.Policy, "identity");
  const inline = input.Policy === undefined ? [] : [{ name: "session policy", document: input.Policy }];
  const policies = [...inline, ...arns.map((arn) => managedSessionPolicy(lab, arn, session.accountId))];
  const packedPercent = packedSize([
    ...policies.map(({ document }) => document),
    ...Object.entries(session.tags).flat(),
  ]);
  if (packedPercent !== undefined && packedPercent > 100) {
    throw new AwsError(
      "PackedPolicyTooLarge",
      `Packed size of session tags and policies consumes ${packedPercent}% of allotted space.`,
      { status: 400 },
    );
  }
  return { policies, packedPercent };
}

function managedSessionPolicy(lab: Lab, arn: string, accountId: string): { name: string; document: string } {
  const policy = lab.effectiveIdentity.managedPolicies.get(arn);
  const usable = policy !== undefined && (policy.accountId === accountId || policy.accountId === "aws");
  const version = usable
    ? policy.versions.find(({ versionId }) => versionId === policy.defaultVersionId)
    : undefined;
  if (version === undefined)
    throw validationError(`The session policy ${arn} does not exist in account ${accountId}.`);
  return { name: arn, document: version.document };
}

function packedSize(parts: readonly string[]): number | undefined {
  const text = parts.join("");
  return text === "" ? undefined : Math.ceil((deflateRawSync(text).length / packedLimitBytes) * 100);
}

import { parsePolicy } from "@garrison/iam/parse-policy";
import type { StatementDocument } from "@garrison/iam/policy-document";
import type { OrganizationPolicyType } from "../../identity/organization-tables.ts";
import { AwsError } from "../../wire/aws-error.ts";

const maxCharacters = 5120;

/** Checks the content of an SCP or RCP; throws MalformedPolicyDocumentException. */
export function checkPolicyContent(content: string, type: OrganizationPolicyType): void {
  if (content.length > maxCharacters) {
    throw new AwsError(
      "ConstraintViolationException",
      `The policy has more than ${maxCharacters} characters.`,
      { members: { Reason: "POLICY_CONTENT_LIMIT_EXCEEDED" } },
    );
  }
  for (const statement of statementsOf(content)) {
    const hasPrincipal = statement.Principal !== undefined || statement.NotPrincipal !== undefined;
    if (type === "SERVICE_CONTROL_POLICY" && hasPrincipal)
      throw malformed("A service control policy has no Principal.");
    if (type === "RESOURCE_CONTROL_POLICY" && statement.Effect !== "Deny")
      throw malformed("A resource control policy only denies.");
    if (type === "RESOURCE_CONTROL_POLICY" && statement.Principal !== "*")
      throw malformed("A resource control policy has the principal *.");
  }
}

function statementsOf(content: string): readonly StatementDocument[] {
  try {
    return [parsePolicy(JSON.parse(content)).Statement].flat() as readonly StatementDocument[];
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}

function malformed(reason: string): AwsError {
  return new AwsError(
    "MalformedPolicyDocumentException",
    `The provided policy document does not meet the requirements of the specified policy type. ${reason}`,
  );
}

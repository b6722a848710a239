import { parsePolicy } from "@garrison/iam/parse-policy";
import type { PolicyDocument, StatementDocument } from "@garrison/iam/policy-document";
import { AwsError } from "../../wire/aws-error.ts";

/** What a document is for decides which elements it must and mustn't have. */
export type PolicyPurpose = "identity" | "trust" | "resource";

/** Checks a policy document as IAM does when it is stored; throws MalformedPolicyDocument. */
export function checkPolicyDocument(document: string, purpose: PolicyPurpose): PolicyDocument {
  const policy = parse(document);
  const statements = [policy.Statement].flat() as readonly StatementDocument[];
  const sids = statements.flatMap(({ Sid }) => (Sid === undefined || Sid === "" ? [] : [Sid]));
  if (new Set(sids).size !== sids.length)
    throw malformed("Statement IDs (SID) in a single policy must be unique.");
  for (const statement of statements) checkStatement(statement, purpose);
  return policy;
}

function parse(document: string): PolicyDocument {
  let json: unknown;
  try {
    json = JSON.parse(document);
  } catch {
    throw malformed("This policy contains invalid Json");
  }
  try {
    return parsePolicy(json);
  } catch (error) {
    throw malformed(`Syntax errors in policy. (${error instanceof Error ? error.message : String(error)})`);
  }
}

function checkStatement(statement: StatementDocument, purpose: PolicyPurpose): void {
  const hasPrincipal = statement.Principal !== undefined || statement.NotPrincipal !== undefined;
  const hasResource = statement.Resource !== undefined || statement.NotResource !== undefined;
  if (purpose === "identity" && hasPrincipal)
    throw malformed("Policy document should not specify a principal.");
  if (purpose === "identity" && !hasResource) throw malformed("Policy statement must contain resources.");
  if (purpose === "identity" && statement.Sid !== undefined && !/^[A-Za-z0-9]*$/.test(statement.Sid)) {
    throw malformed(
      `Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*`,
    );
  }
  if (purpose !== "identity" && !hasPrincipal) throw malformed("Missing required field Principal");
  if (purpose === "trust" && hasResource) throw malformed("Has prohibited field Resource");
  if (purpose === "trust") checkTrustActions(statement);
}

function checkTrustActions(statement: StatementDocument): void {
  const actions = [statement.Action ?? statement.NotAction ?? []].flat();
  const stranger = actions.find((action) => action !== "*" && !action.toLowerCase().startsWith("sts:"));
  if (stranger !== undefined) throw malformed("AssumeRole policy may only specify STS AssumeRole actions.");
}

function malformed(message: string): AwsError {
  return new AwsError("MalformedPolicyDocument", message, { status: 400 });
}

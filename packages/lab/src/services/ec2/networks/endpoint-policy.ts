import { AwsError } from "../../../wire/aws-error.ts";
import { checkPolicyDocument } from "../../iam/check-policy-document.ts";

/** What AWS gives an endpoint for which no policy was asked: everybody may do everything by it. */
export const fullAccessPolicy = JSON.stringify({
  Version: "2008-10-17",
  Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }],
});

/** The largest that AWS takes. */
const mostCharacters = 20_480;

export function readEndpointPolicy(document: string | undefined): string {
  if (document === undefined) return fullAccessPolicy;
  if (document.length > mostCharacters) throw invalidPolicy("The policy document is too large");
  try {
    checkPolicyDocument(document, "resource");
  } catch (error) {
    throw invalidPolicy(error instanceof Error ? error.message : String(error));
  }
  return document;
}

function invalidPolicy(why: string): AwsError {
  return new AwsError("InvalidPolicyDocument", `Invalid policy document: ${why}`);
}

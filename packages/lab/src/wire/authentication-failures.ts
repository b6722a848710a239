import { AwsError } from "./aws-error.ts";
import type { ProtocolKind } from "./service-schemas.ts";

/** Why a request's signature isn't accepted. */
export type AuthenticationProblem =
  | "missing"
  | "incomplete"
  | "unknown-key"
  | "invalid-token"
  | "expired-token"
  | "mismatch"
  | "skewed"
  | "presigned-expired";

type Answer = readonly [code: string, message: string, status: number];
type AnswerTable = Readonly<Record<AuthenticationProblem, Answer>>;

const invalidToken = "The security token included in the request is invalid.";
const expiredToken = "The security token included in the request is expired";
const mismatch =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const skewed = "Signature expired: the request's time is too far from the server's.";
const incomplete = "Authorization header or query parameters are not a complete AWS Signature Version 4.";

const ec2Answers: AnswerTable = {
  missing: ["MissingAuthenticationToken", "Request is missing Authentication Token", 403],
  incomplete: ["IncompleteSignature", incomplete, 400],
  "unknown-key": ["AuthFailure", "AWS was not able to validate the provided access credentials", 401],
  "invalid-token": ["AuthFailure", "AWS was not able to validate the provided access credentials", 401],
  "expired-token": ["RequestExpired", "Request has expired.", 400],
  mismatch: ["AuthFailure", "AWS was not able to validate the provided access credentials", 401],
  skewed: ["RequestExpired", "Request has expired.", 400],
  "presigned-expired": ["RequestExpired", "Request has expired.", 400],
};

const queryAnswers: AnswerTable = {
  missing: ["MissingAuthenticationToken", "Request is missing Authentication Token", 403],
  incomplete: ["IncompleteSignature", incomplete, 400],
  "unknown-key": ["InvalidClientTokenId", invalidToken, 403],
  "invalid-token": ["InvalidClientTokenId", invalidToken, 403],
  "expired-token": ["ExpiredToken", expiredToken, 403],
  mismatch: ["SignatureDoesNotMatch", mismatch, 403],
  skewed: ["SignatureDoesNotMatch", skewed, 403],
  "presigned-expired": ["SignatureDoesNotMatch", skewed, 403],
};

const jsonAnswers: AnswerTable = {
  missing: ["MissingAuthenticationTokenException", "Missing Authentication Token", 400],
  incomplete: ["IncompleteSignatureException", incomplete, 400],
  "unknown-key": ["UnrecognizedClientException", invalidToken, 400],
  "invalid-token": ["UnrecognizedClientException", invalidToken, 400],
  "expired-token": ["ExpiredTokenException", expiredToken, 400],
  mismatch: ["InvalidSignatureException", mismatch, 400],
  skewed: ["InvalidSignatureException", skewed, 400],
  "presigned-expired": ["InvalidSignatureException", skewed, 400],
};

const s3Answers: AnswerTable = {
  missing: ["AccessDenied", "Access Denied", 403],
  incomplete: ["AuthorizationHeaderMalformed", incomplete, 400],
  "unknown-key": [
    "InvalidAccessKeyId",
    "The AWS Access Key Id you provided does not exist in our records.",
    403,
  ],
  "invalid-token": ["InvalidToken", "The provided token is malformed or otherwise invalid.", 400],
  "expired-token": ["ExpiredToken", "The provided token has expired.", 400],
  mismatch: ["SignatureDoesNotMatch", mismatch, 403],
  skewed: [
    "RequestTimeTooSkewed",
    "The difference between the request time and the current time is too large.",
    403,
  ],
  "presigned-expired": ["AccessDenied", "Request has expired", 403],
};

/** What AWS answers, per protocol: the same problem has four names. REST services with JSON answer with status 403. */
export function authenticationFailure(problem: AuthenticationProblem, kind: ProtocolKind): AwsError {
  const [code, message, status] = answersOf(kind)[problem];
  return new AwsError(code, message, { status: kind === "rest-json" ? 403 : status });
}

function answersOf(kind: ProtocolKind): AnswerTable {
  if (kind === "ec2-query") return ec2Answers;
  if (kind === "query") return queryAnswers;
  return kind === "rest-xml" ? s3Answers : jsonAnswers;
}

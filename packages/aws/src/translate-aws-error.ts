import type { GarrisonErrorCode } from "@garrison/core/error-table";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";

interface SdkError {
  readonly name?: string;
  readonly Code?: string;
  readonly code?: string;
  readonly message?: string;
  readonly Reason?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/** AWS spells the same refusal in many ways; each row is one meaning. */
const meanings: readonly (readonly [GarrisonErrorCode, RegExp])[] = [
  ["aws-credentials-expired", /^(ExpiredToken(Exception)?|RequestExpired|TokenRefreshRequired)$/],
  [
    "aws-credentials-missing",
    /^(CredentialsProviderError|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClientException|AuthFailure|SignatureDoesNotMatch|MissingAuthenticationToken(Exception)?)$/,
  ],
  [
    "aws-access-denied",
    /^(AccessDenied(Exception)?|UnauthorizedOperation|AuthorizationError|AccessDeniedFault|NotAuthorized|KMSAccessDeniedException)$/,
  ],
  [
    "aws-throttled",
    /^(Throttling(Exception)?|RequestThrottled(Exception)?|RequestLimitExceeded|TooManyRequestsException|SlowDown|ThrottledException|ConcurrentLimitExceededException|BandwidthLimitExceeded)$/,
  ],
  [
    "aws-capacity",
    /^(InsufficientInstanceCapacity|InsufficientHostCapacity|SpotMaxPriceTooLow|MaxSpotInstanceCountExceeded)$/,
  ],
  [
    "aws-limit-exceeded",
    /^(.*LimitExceeded(Exception)?|ServiceQuotaExceededException|QuotaExceeded.*|OverLimit)$/,
  ],
  [
    "aws-not-found",
    /(NotFound(Exception)?|NoSuch[A-Z]\w+|NonExistentQueue|QueueDoesNotExist|InvalidInstanceId|InvocationDoesNotExist)$|\.NotFound$/,
  ],
  [
    "aws-unavailable",
    /^(InternalError|InternalFailure|InternalServer(Error|Exception)|ServiceUnavailable(Exception)?|TimeoutError|RequestTimeout(Exception)?|NetworkingError|ECONNRESET|ECONNREFUSED|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|SocketError|ConditionalRequestConflict)$/,
  ],
];

/** The AWS error code of whatever the SDK threw, or undefined. EC2 models no exceptions: the code string is all there is. */
export function awsErrorCode(error: unknown): string | undefined {
  const { name, Code, code } = (error ?? {}) as SdkError;
  if (name !== undefined && name !== "Error" && name !== "TypeError") return name;
  return Code ?? code;
}

/**
 * Gives what the SDK threw one of our codes. `doing` says our own step and object (`listing blocks of snap-1`). A refusal
 * names the action that was refused, since whoever reads it has to grant that one. An error that has a code already is
 * passed on as it is.
 */
export function translateAwsError(error: unknown, doing: string): GarrisonError {
  if (isGarrisonError(error)) return error;
  const sdk = (error ?? {}) as SdkError;
  const awsCode = awsErrorCode(error);
  const code = meaningOf(sdk, awsCode);
  const deniedAction = code === "aws-access-denied" ? deniedActionOf(sdk) : undefined;
  const details = { awsCode, reason: sdk.Reason, requestId: sdk.$metadata?.requestId, deniedAction };
  const message = deniedAction === undefined ? doing : `${doing} (${deniedAction} is denied)`;
  return new GarrisonError(code, message, { cause: error, details });
}

/** AWS says it in the middle of a sentence: `... is not authorized to perform: ec2:RunInstances on resource: ...`. */
function deniedActionOf({ message = "" }: SdkError): string | undefined {
  return /not authorized to perform: ([a-z0-9-]+:\w+)/.exec(message)?.[1];
}

function meaningOf(error: SdkError, awsCode: string | undefined): GarrisonErrorCode {
  if (awsCode === "AbortError") return "aborted";
  const meaning = meanings.find(([, pattern]) => awsCode !== undefined && pattern.test(awsCode));
  if (meaning !== undefined) return meaning[0];
  const status = error.$metadata?.httpStatusCode;
  if (status === 429) return "aws-throttled";
  if (status === 403) return "aws-access-denied";
  if (status === 404) return "aws-not-found";
  if (status === undefined || status >= 500) return "aws-unavailable";
  return "aws-invalid-request";
}

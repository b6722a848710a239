import { parseOperatorName } from "./condition.ts";
import { containsIpRange, type IpRange, parseIpRange } from "./ip-range.ts";
import type {
  ConditionValue,
  OneOrMany,
  PolicyDocument,
  PrincipalElement,
  StatementDocument,
} from "./policy-document.ts";

/** Keys that make a grant to everyone one to somebody, if they are held to a fixed value (S3 user guide, "public"). */
const fixingKeys: ReadonlySet<string> = new Set(
  [
    "aws:principalaccount aws:principalarn aws:principalorgid aws:principalorgpaths aws:sourceaccount aws:sourcearn",
    "aws:sourceip aws:sourceowner aws:sourcevpc aws:sourcevpce aws:userid s3:dataaccesspointaccount",
    "s3:dataaccesspointarn s3:x-amz-server-side-encryption-aws-kms-key-id",
  ].flatMap((line) => line.split(" ")),
);
const fixingOperators: ReadonlySet<string> = new Set(
  "StringEquals StringEqualsIgnoreCase StringLike ArnEquals ArnLike IpAddress".split(" "),
);
/** Ranges of public addresses that are larger than this are the public. */
const narrowestIpv4Prefix = 8;
const narrowestIpv6Prefix = 32;
const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(
  (text) => parseIpRange(text) as IpRange,
);

const judged = new WeakMap<object, boolean>();

/**
 * Whether S3 calls a bucket policy public: some statement allows everyone, and no condition holds them to a fixed value.
 * This is what `BlockPublicPolicy` refuses to store, and what `RestrictPublicBuckets` shuts to other accounts. The policy has
 * to be one that `parsePolicy` accepts.
 */
export function isPublicPolicy(policy: object): boolean {
  const known = judged.get(policy);
  if (known !== undefined) return known;
  const { Statement } = policy as PolicyDocument;
  const statements = (Array.isArray(Statement) ? Statement : [Statement]) as readonly StatementDocument[];
  const isPublic = statements.some((statement) => statement.Effect === "Allow" && isForAnyone(statement));
  judged.set(policy, isPublic);
  return isPublic;
}

function isForAnyone({ Principal, NotPrincipal, Condition }: StatementDocument): boolean {
  if (NotPrincipal === undefined && !namesEveryone(Principal)) return false;
  return !Object.entries(Condition ?? {}).some(([operator, keys]) =>
    Object.entries(keys).some(([key, values]) => isFixed(operator, key.toLowerCase(), values)),
  );
}

function namesEveryone(principal: PrincipalElement | undefined): boolean {
  if (principal === undefined || typeof principal === "string") return principal === "*";
  return Object.values(principal).flat().includes("*");
}

/** A condition that also holds without the key, or for any value of it, fixes nothing. */
function isFixed(operatorText: string, key: string, values: OneOrMany<ConditionValue>): boolean {
  const name = parseOperatorName(operatorText);
  if (name === undefined || name.operator === "Null" || !fixingKeys.has(key)) return false;
  if (name.ifExists || name.qualifier === "ForAllValues" || !fixingOperators.has(name.operator.name)) {
    return false;
  }
  const texts = ([values].flat() as readonly ConditionValue[]).map(String);
  if (key === "aws:sourceip") return texts.length > 0 && texts.every(isNarrowRange);
  return texts.length > 0 && texts.every((text) => isFixedValue(key, text));
}

function isFixedValue(key: string, text: string): boolean {
  if (text.includes("${")) return false;
  if (key === "aws:userid") return /^[^*?]+(:\*)?$/.test(text) && !/^AROA[A-Z0-9]*:\*$/.test(text);
  // An access point may be any of a fixed account.
  if (key === "s3:dataaccesspointarn") return /^arn:[^:*?]+:s3:[^:]*:\d{12}:/.test(text);
  return !/[*?]/.test(text);
}

function isNarrowRange(text: string): boolean {
  const range = parseIpRange(text);
  if (range === undefined) return false;
  if (privateRanges.some((outer) => containsIpRange(outer, range))) return true;
  return range.prefixLength >= (range.family === 4 ? narrowestIpv4Prefix : narrowestIpv6Prefix);
}

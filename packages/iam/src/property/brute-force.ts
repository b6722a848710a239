import type { Decision, EvaluationCase, NamedPolicy } from "../evaluation-case.ts";

/**
 * A second evaluator, written to be obvious rather than fast, only to be compared with: a regular expression for each
 * pattern, no compiling, no three values. Unknown context is tried out, world by world.
 */
type World = Readonly<Record<string, readonly string[]>>;

interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly [element: string]: unknown;
}

/** What an unknown key may be; the values that the generated policies mention, one that they don't, several, and none. */
const possibleValues: readonly (readonly string[] | undefined)[] = [
  undefined,
  ["x"],
  ["y"],
  ["other"],
  ["true"],
  ["5"],
  ["x", "y"],
  [""],
];

/** The decisions in all worlds that the unknown keys allow. */
export function bruteForce(given: EvaluationCase): ReadonlySet<Decision> {
  let worlds: World[] = [readContext(given)];
  for (const key of given.unknownContext ?? []) {
    worlds = worlds.flatMap((world) =>
      possibleValues.map((values) => {
        const { [key]: _dropped, ...rest } = world;
        return values === undefined ? rest : { ...rest, [key]: values };
      }),
    );
  }
  return new Set(worlds.map((world) => decideInWorld(given, world)));
}

function readContext({ request }: EvaluationCase): World {
  return Object.fromEntries(
    Object.entries(request.context ?? {})
      .map(([key, value]) => [key, [value].flat().map(String)] as const)
      .filter(([, values]) => values.length > 0),
  );
}

/** AWS's flow chart, from top to bottom. */
function decideInWorld(given: EvaluationCase, world: World): Decision {
  const principal = given.request.principal;
  const arn = typeof principal === "string" && principal.startsWith("arn:") ? principal : undefined;
  const isRoot = arn?.endsWith(":root") === true;
  const applying = (policies: readonly NamedPolicy[] | undefined, effect: string) =>
    (policies ?? [])
      .flatMap(({ policy }) => statementsOf(policy))
      .filter((each) => each.Effect === effect && applies(each, given, world));
  const asList = (policy: object | undefined) => (policy === undefined ? undefined : [{ policy }]);
  const own = arn === undefined || isRoot ? [] : [given.identityPolicies, given.permissionBoundaries];
  const session = arn === undefined ? undefined : asList(given.sessionPolicy);
  const isLinked = arn?.includes("/AWSServiceRoleFor") === true;
  const management = given.managementAccountId;
  const hasScps = arn !== undefined && !isLinked && arn.split(":")[4] !== management;
  const scps = hasScps ? given.serviceControlPolicies : undefined;
  const hasRcps =
    /^(s3|sqs|sts|kms):/.test(given.request.action) &&
    !isLinked &&
    given.request.resource.accountId !== management;
  const rcps = hasRcps ? given.resourceControlPolicies : undefined;
  const endpoint = given.vpcEndpointPolicies?.length === 0 ? undefined : given.vpcEndpointPolicies;
  const resource = asList(given.resourcePolicy);
  const levels = [...(scps ?? []), ...(rcps ?? [])];
  const all = [...own, session, resource, endpoint, ...levels.map((level) => level.policies)];
  if (all.some((policies) => applying(policies, "Deny").length > 0)) return "ExplicitlyDenied";
  if (levels.some((level) => applying(level.policies, "Allow").length === 0)) return "ImplicitlyDenied";
  if (endpoint !== undefined && applying(endpoint, "Allow").length === 0) return "ImplicitlyDenied";
  if (isShutToPublic(given)) return "ImplicitlyDenied";
  const keyGrants = grantsOnKey(given, world);
  const isKey = /^kms:.*/.test(given.request.action) && given.request.resource.resource.includes(":key/");
  const grants = [
    ...applying(resource, "Allow").map((each) => grantStrength(each, given)),
    ...keyGrants,
    ...grantsOfAcl(given),
  ];
  if (arn === undefined) return grants.length > 0 ? "Allowed" : "ImplicitlyDenied";
  const isSameAccount = arn.split(":")[4] === given.request.resource.accountId;
  if ((isSameAccount ? grants : keyGrants).includes("direct")) return "Allowed";
  const boundary = isRoot ? undefined : given.permissionBoundaries;
  if (boundary !== undefined && applying(boundary, "Allow").length === 0) return "ImplicitlyDenied";
  if (session !== undefined && applying(session, "Allow").length === 0) return "ImplicitlyDenied";
  if ((isSameAccount ? grants : keyGrants).includes("role")) return "Allowed";
  if ((!isSameAccount || isKey) && grants.length === 0) return "ImplicitlyDenied";
  return isRoot || applying(given.identityPolicies, "Allow").length > 0 ? "Allowed" : "ImplicitlyDenied";
}

type Strength = "account" | "role" | "direct";

/** The grants on a key that hold, by how each names the caller. */
function grantsOnKey(given: EvaluationCase, world: World): readonly Strength[] {
  const { action, resource } = given.request;
  if (!action.startsWith("kms:") || !resource.resource.includes(":key/")) return [];
  return (given.kmsGrants ?? []).flatMap((grant) => {
    const { granteePrincipal, operations, encryptionContextEquals: exact, encryptionContextSubset } = grant;
    if (!operations.includes(action.slice(4))) return [];
    const kind = granteePrincipal.includes(".amazonaws.") ? "Service" : "AWS";
    const strength = grantStrength({ Effect: "Allow", Principal: { [kind]: granteePrincipal } }, given);
    if (strength === "none") return [];
    if (action === "kms:DescribeKey") return [strength];
    const needed = Object.entries({ ...encryptionContextSubset, ...exact });
    const hasAll = needed.every(([key, value]) => world[`kms:EncryptionContext:${key}`]?.includes(value));
    const present = world["kms:EncryptionContextKeys"] ?? [];
    const hasOnly =
      exact === undefined || needed.length === 0 || present.every((key) => Object.hasOwn(exact, key));
    return hasAll && hasOnly ? [strength] : [];
  });
}

function grantsOfAcl({ request, bucket }: EvaluationCase): readonly Strength[] {
  if (bucket === undefined || bucket.objectOwnership !== "ObjectWriter") return [];
  const { principal, action } = request;
  const account = typeof principal === "string" ? principal.split(":")[4] : undefined;
  const [entries, wanted] =
    action === "s3:GetObject"
      ? [bucket.objectAcl, "READ"]
      : action === "s3:PutObject"
        ? [bucket.acl, "WRITE"]
        : [[], ""];
  return (entries ?? []).flatMap(({ grantee, permission }) => {
    if (permission !== wanted && permission !== "FULL_CONTROL") return [];
    const isGroup = grantee === "AllUsers" || grantee === "AuthenticatedUsers";
    if (isGroup && bucket.publicAccessBlock?.ignorePublicAcls === true) return [];
    if (grantee === "AllUsers") return ["direct"];
    if (account === undefined) return [];
    if (grantee === "AuthenticatedUsers") return ["direct"];
    if (grantee !== account) return [];
    return String(principal).endsWith(":root") ? ["direct"] : ["account"];
  });
}

function isShutToPublic({ request, bucket, resourcePolicy }: EvaluationCase): boolean {
  if (!request.action.startsWith("s3:") || bucket?.publicAccessBlock?.restrictPublicBuckets !== true)
    return false;
  const { principal } = request;
  if (typeof principal === "string" && principal.split(":")[4] === request.resource.accountId) return false;
  if (principal === "config.amazonaws.com" || resourcePolicy === undefined) return false;
  return statementsOf(resourcePolicy).some((statement) => {
    const { Principal } = statement;
    const isForAll = Principal === "*" || list((Principal as { AWS?: unknown }).AWS).includes("*");
    return statement.Effect === "Allow" && isForAll && !isHeldToEndpoint(statement);
  });
}

/** The generated policies know one key that fixes who comes in: `aws:SourceVpce`. */
function isHeldToEndpoint(statement: Statement): boolean {
  const conditions = Object.entries(
    (statement["Condition"] ?? {}) as Record<string, Record<string, unknown>>,
  );
  return conditions.some(([operator, keys]) => {
    const values = list(keys["aws:SourceVpce"]);
    const isFixing = /^(ForAnyValue:)?String(Equals|Like)$/.test(operator);
    return isFixing && "aws:SourceVpce" in keys && values.every((value) => !/[*?]/.test(value));
  });
}

function statementsOf(policy: object): readonly Statement[] {
  return [(policy as { Statement: Statement | Statement[] }).Statement].flat();
}

function list(value: unknown): readonly string[] {
  return [value].flat().map(String);
}

function glob(pattern: string, flags: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${source}$`, flags);
}

function applies(statement: Statement, given: EvaluationCase, world: World): boolean {
  const { action, resource } = given.request;
  const isAction = (pattern: string) => glob(pattern, "i").test(action);
  const isResource = (pattern: string) => glob(pattern, "").test(resource.resource);
  const actionFits =
    "Action" in statement
      ? list(statement["Action"]).some(isAction)
      : !list(statement["NotAction"]).some(isAction);
  const resourceFits =
    "Resource" in statement
      ? list(statement["Resource"]).some(isResource)
      : !list(statement["NotResource"]).some(isResource);
  const principalFits = !("Principal" in statement) || grantStrength(statement, given) !== "none";
  const conditions = Object.entries(
    (statement["Condition"] ?? {}) as Record<string, Record<string, unknown>>,
  );
  return (
    actionFits &&
    resourceFits &&
    principalFits &&
    conditions.every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => conditionHolds(operator, list(values), world[key])),
    )
  );
}

function grantStrength(
  statement: Statement,
  { request }: EvaluationCase,
): "none" | "account" | "role" | "direct" {
  const principals =
    statement["Principal"] === "*" ? ["*"] : Object.values(statement["Principal"] as object).flatMap(list);
  const asked = typeof request.principal === "string" ? request.principal : "nobody";
  const account = asked.split(":")[4] ?? "-";
  const role = /:assumed-role\/([^/]+)\//.exec(asked)?.[1];
  if (principals.includes("*") || principals.includes(asked)) return "direct";
  if (asked.endsWith(":root") && principals.includes(account)) return "direct";
  if (role !== undefined && principals.includes(`arn:aws:iam::${account}:role/${role}`)) return "role";
  return principals.includes(account) || principals.includes(`arn:aws:iam::${account}:root`)
    ? "account"
    : "none";
}

function conditionHolds(
  operator: string,
  wanted: readonly string[],
  actual: readonly string[] | undefined,
): boolean {
  if (operator === "Null") return wanted.includes(String(actual === undefined));
  const [, qualifier, name = "", ifExists] = /^(For\w+:)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  const isNegated = name.includes("Not");
  if (actual === undefined) {
    if (ifExists !== undefined || qualifier === "ForAllValues:") return true;
    return isNegated && qualifier === undefined;
  }
  if (qualifier !== undefined && actual.join("") === "") return qualifier === "ForAllValues:";
  const fits = (value: string) => {
    const matches = wanted.map((each) => valueMatches(name.replace("Not", ""), value, each));
    return isNegated ? matches.every((match) => match === false) : matches.includes(true);
  };
  const needsAll = qualifier === "ForAllValues:" || (qualifier === undefined && isNegated);
  return needsAll ? actual.every(fits) : actual.some(fits);
}

/** Undefined where one of them is not of the operator's type. */
function valueMatches(name: string, actual: string, wanted: string): boolean | undefined {
  switch (name) {
    case "StringEquals":
      return actual === wanted;
    case "StringLike":
      return glob(wanted, "").test(actual);
    case "Bool":
      return actual === "true" || actual === "false" ? actual === wanted : undefined;
    case "NumericEquals":
    case "NumericLessThan": {
      const [left, right] = [Number.parseFloat(actual), Number.parseFloat(wanted)];
      if (Number.isNaN(left) || Number.isNaN(right)) return undefined;
      return name === "NumericEquals" ? left === right : left < right;
    }
    default:
      throw new Error(`the comparison knows no ${name}`);
  }
}

import { GarrisonError } from "@garrison/core/garrison-error";
import { compilePolicy } from "./compile-policy.ts";
import type { EvaluationCase } from "./evaluation-case.ts";
import { normalizeCase } from "./normalize-case.ts";
import { checkPolicyKind, parsePolicy, type PolicyKind } from "./parse-policy.ts";

type JsonObject = Readonly<Record<string, unknown>>;
type Check = (value: unknown, where: string) => void;

/**
 * Checks that a JSON value is an evaluation case, its policies included, and returns it in the documented shape (see
 * `normalizeCase` for what else is understood). Throws `iam-case-invalid` or `iam-policy-invalid` naming the place. An
 * unknown key of the case or its request is an error if it reads like one that decides, since it would else silently not
 * apply; other unknown keys are remarks.
 */
export function parseCase(json: unknown, where = "case"): EvaluationCase {
  const given = requireObject(normalizeCase(json), where);
  checkKeys(given, { required: { request: checkRequest }, optional: caseKeys, isGuarded: true }, where);
  return given as unknown as EvaluationCase;
}

const checkText: Check = (value, where) => {
  if (typeof value !== "string") throw invalid(where, "must be text");
};

const checkTexts: Check = (value, where) => {
  for (const [place, each] of requireList(value, where).entries()) checkText(each, `${where}[${place}]`);
};

function namedPoliciesOf(kind: PolicyKind): Check {
  return (value, where) => {
    for (const [place, each] of requireList(value, where).entries()) {
      const at = `${where}[${place}]`;
      const named = requireObject(each, at);
      checkKeys(named, { required: {}, optional: { name: checkText, policy: () => undefined } }, at);
      if (named["policy"] === undefined) throw invalid(at, 'has no "policy"');
      const name = typeof named["name"] === "string" ? `${at} (${named["name"]})` : at;
      policyOf(kind)(named["policy"], name);
    }
  };
}

function policyOf(kind: PolicyKind): Check {
  return (value, where) => {
    checkPolicyKind(parsePolicy(value, where), kind, where);
    compilePolicy(requireObject(value, where), where);
  };
}

function levelsOf(kind: PolicyKind): Check {
  return (value, where) => {
    for (const [place, each] of requireList(value, where).entries()) {
      const at = `${where}[${place}]`;
      const required = { orgIdentifier: checkText, policies: namedPoliciesOf(kind) };
      checkKeys(requireObject(each, at), { required, optional: {} }, at);
    }
  };
}

const checkAction: Check = (value, where) => {
  if (typeof value !== "string" || !/^[^:\s]+:[^:\s]+$/.test(value))
    throw invalid(where, "must be service:action");
};

const checkPrincipal: Check = (value, where) => {
  if (typeof value === "string" && value !== "") return;
  const principal = requireObject(value, where);
  checkKeys(principal, { required: { type: checkText }, optional: {} }, where);
  if (principal["type"] !== "Anonymous") throw invalid(`${where}.type`, 'must be "Anonymous"');
};

const checkContext: Check = (value, where) => {
  for (const [key, values] of Object.entries(requireObject(value, where))) {
    for (const each of Array.isArray(values) ? (values as readonly unknown[]) : [values]) {
      if (typeof each === "string" || typeof each === "number" || typeof each === "boolean") continue;
      throw invalid(`${where}.${key}`, "must be text or a list of text");
    }
  }
};

const checkResource: Check = (value, where) => {
  checkKeys(
    requireObject(value, where),
    { required: { resource: checkText, accountId: checkText }, optional: {} },
    where,
  );
};

const checkRequest: Check = (value, where) => {
  const required = { action: checkAction, resource: checkResource, principal: checkPrincipal };
  checkKeys(
    requireObject(value, where),
    { required, optional: { context: checkContext }, isGuarded: true },
    where,
  );
};

const checkTruth: Check = (value, where) => {
  if (typeof value !== "boolean") throw invalid(where, "must be true or false");
};

function oneOf(...words: readonly string[]): Check {
  return (value, where) => {
    if (!words.includes(value as string)) throw invalid(where, `must be one of ${words.join(", ")}`);
  };
}

const checkPairs: Check = (value, where) => {
  for (const [key, each] of Object.entries(requireObject(value, where))) checkText(each, `${where}.${key}`);
};

/** A list of objects that take exactly these keys. */
function listOf(keys: Pick<KeyChecks, "required" | "optional">): Check {
  return (value, where) => {
    for (const [place, each] of requireList(value, where).entries()) {
      const at = `${where}[${place}]`;
      checkKeys(requireObject(each, at), { ...keys, isStrict: true }, at);
    }
  };
}

const checkGrants = listOf({
  required: { granteePrincipal: checkText, operations: checkTexts },
  optional: {
    grantId: checkText,
    retiringPrincipal: checkText,
    encryptionContextEquals: checkPairs,
    encryptionContextSubset: checkPairs,
    sourceArn: checkText,
  },
});

const checkAcl = listOf({
  required: {
    grantee: checkText,
    permission: oneOf("FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"),
  },
  optional: {},
});

const checkPublicAccess: Check = (value, where) => {
  const optional = {
    blockPublicAcls: checkTruth,
    ignorePublicAcls: checkTruth,
    blockPublicPolicy: checkTruth,
    restrictPublicBuckets: checkTruth,
  };
  checkKeys(requireObject(value, where), { required: {}, optional, isStrict: true }, where);
};

const checkBucket: Check = (value, where) => {
  const optional = {
    publicAccessBlock: checkPublicAccess,
    objectOwnership: oneOf("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"),
    acl: checkAcl,
    objectAcl: checkAcl,
  };
  checkKeys(requireObject(value, where), { required: {}, optional, isStrict: true }, where);
};

const caseKeys: Readonly<Record<string, Check>> = {
  name: checkText,
  identityPolicies: namedPoliciesOf("identity"),
  permissionBoundaries: namedPoliciesOf("identity"),
  sessionPolicy: policyOf("identity"),
  resourcePolicy: policyOf("resource"),
  serviceControlPolicies: levelsOf("identity"),
  resourceControlPolicies: levelsOf("any"),
  vpcEndpointPolicies: namedPoliciesOf("any"),
  kmsGrants: checkGrants,
  bucket: checkBucket,
  managementAccountId: checkText,
  unknownContext: checkTexts,
};

/** Names like those of the keys that decide: a misspelt one must not be passed over as a remark. */
const decisive =
  /polic|bound|context|session|control|scp|rcp|endpoint|vpce|kms|bucket|publicaccess|managementacc/i;

interface KeyChecks {
  readonly required: Readonly<Record<string, Check>>;
  readonly optional: Readonly<Record<string, Check>>;
  /** Whether an unknown key that reads like a decisive one is refused. */
  readonly isGuarded?: true;
  /** Whether every unknown key is refused. */
  readonly isStrict?: true;
}

function checkKeys(object: JsonObject, checks: KeyChecks, where: string): void {
  const { required, optional, isGuarded, isStrict } = checks;
  for (const [key, check] of Object.entries(required)) {
    if (object[key] === undefined) throw invalid(where, `has no ${JSON.stringify(key)}`);
    check(object[key], `${where}.${key}`);
  }
  for (const [key, value] of Object.entries(object)) {
    if (Object.hasOwn(required, key)) continue;
    if (!Object.hasOwn(optional, key)) {
      if (isStrict !== true && (isGuarded !== true || !decisive.test(key))) continue;
      const known = [...Object.keys(required), ...Object.keys(optional)].join(", ");
      throw invalid(where, `has the unknown key ${JSON.stringify(key)}; it takes ${known}`);
    }
    optional[key]?.(value, `${where}.${key}`);
  }
}

function requireObject(value: unknown, where: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalid(where, "must be an object");
}

function requireList(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(where, "must be a list");
}

function invalid(where: string, what: string): GarrisonError {
  return new GarrisonError("iam-case-invalid", `${where} ${what}`, { details: { where } });
}

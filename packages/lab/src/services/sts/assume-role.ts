import type { AssumeRoleCommandInput, AssumeRoleCommandOutput } from "@aws-sdk/client-sts";
import { findRoleByArn } from "../../identity/find-role.ts";
import type { Role } from "../../identity/identity-tables.ts";
import { issueSession } from "../../identity/issue-session.ts";
import { showPrincipals } from "../../identity/stored-principals.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call, ResourceAccess } from "../../wire/operation-handler.ts";
import { readSessionPolicies } from "./session-policies.ts";
import { readSessionTags, type SessionTags } from "./session-tags.ts";
import { credentialsOf } from "./credentials-of.ts";
import { checkRange, checkText, validationError } from "./validation.ts";

type Output = Omit<AssumeRoleCommandOutput, "$metadata">;

const namePattern = /^[\w+=,.@-]*$/;
const externalIdPattern = /^[\w+=,.@:/-]*$/;
const defaultSeconds = 3600;
const chainedMaxSeconds = 3600;

/** AssumeRole: trust policy and identity policies decide; session policies, tags and the source identity ride along. */
export function assumeRole(input: AssumeRoleCommandInput, call: Call): Output {
  checkInput(input);
  if (call.principal.type === "root") throw denied("Roles may not be assumed by root accounts.");
  const roleArn = input.RoleArn!;
  const role = findRoleByArn(call.lab, roleArn);
  const tags = readSessionTags(input, call.principal);
  const sourceIdentity = call.principal.session?.sourceIdentity ?? input.SourceIdentity;
  authorizeAssumption(call, { input, role, tags });
  // A missing role is denied like a foreign one: names can't be probed.
  if (role === undefined) throw denied(notAuthorized(call, roleArn));
  const durationSeconds = allowedDuration(input, role, call);
  const { policies, packedPercent } = readSessionPolicies(call.lab, input, {
    accountId: role.accountId,
    tags: tags.session,
  });
  const session = issueSession(call.lab, {
    accountId: role.accountId,
    roleId: role.roleId,
    roleName: role.roleName,
    sessionName: input.RoleSessionName!,
    durationSeconds,
    tags: tags.session,
    transitiveTagKeys: tags.transitiveKeys,
    ...(policies.length === 0 ? {} : { sessionPolicies: policies }),
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
  });
  return {
    Credentials: credentialsOf(session),
    AssumedRoleUser: {
      AssumedRoleId: `${role.roleId}:${session.sessionName!}`,
      Arn: `arn:${call.partition}:sts::${role.accountId}:assumed-role/${role.roleName}/${session.sessionName!}`,
    },
    ...(packedPercent === undefined ? {} : { PackedPolicySize: packedPercent }),
    ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
  };
}

function checkInput(input: AssumeRoleCommandInput): void {
  checkText("roleArn", input.RoleArn, { min: 20, max: 2048, pattern: /^arn:[^:]+:iam::\d{12}:role\/.+$/ });
  checkText("roleSessionName", input.RoleSessionName, { min: 2, max: 64, pattern: namePattern });
  checkText("externalId", input.ExternalId, { min: 2, max: 1224, pattern: externalIdPattern });
  checkText("sourceIdentity", input.SourceIdentity, { min: 2, max: 64, pattern: namePattern });
  checkRange("durationSeconds", input.DurationSeconds, [900, 43_200]);
}

interface Assumption {
  readonly input: AssumeRoleCommandInput;
  readonly role: Role | undefined;
  readonly tags: SessionTags;
}

function authorizeAssumption(call: Call, { input, role, tags }: Assumption): void {
  const resource = roleAccess(call, input.RoleArn!, role);
  const context: Record<string, string | readonly string[]> = {
    "sts:RoleSessionName": input.RoleSessionName!,
    ...tags.context,
  };
  if (input.ExternalId !== undefined) context["sts:ExternalId"] = input.ExternalId;
  if (input.SourceIdentity !== undefined) context["sts:SourceIdentity"] = input.SourceIdentity;
  const actions = ["sts:AssumeRole"];
  if (Object.keys(tags.requested).length > 0) actions.push("sts:TagSession");
  if (input.SourceIdentity !== undefined) actions.push("sts:SetSourceIdentity");
  for (const action of actions) {
    if (!call.isAllowed({ action, resources: [resource], context }))
      throw denied(notAuthorized(call, input.RoleArn!, action));
  }
}

function roleAccess(call: Call, roleArn: string, role: Role | undefined): ResourceAccess {
  if (role === undefined) return { arn: roleArn, accountId: roleArn.split(":")[4] ?? "" };
  const policy = call.lab.parsed.parse(showPrincipals(call.lab, role.trustPolicy));
  return { arn: role.arn, accountId: role.accountId, tags: role.tags, policy };
}

function allowedDuration(input: AssumeRoleCommandInput, role: Role, call: Call): number {
  const isChained = call.principal.type === "role-session";
  const seconds = input.DurationSeconds ?? defaultSeconds;
  if (isChained && seconds > chainedMaxSeconds) {
    throw validationError(
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    );
  }
  if (seconds > role.maxSessionDurationSeconds) {
    throw validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  return seconds;
}

/** AWS gives no reason here: it would tell the caller about the other account's policies. */
function notAuthorized(call: Call, roleArn: string, action = "sts:AssumeRole"): string {
  return `User: ${call.principal.arn} is not authorized to perform: ${action} on resource: ${roleArn}`;
}

function denied(message: string): AwsError {
  return new AwsError("AccessDenied", message, { status: 403 });
}

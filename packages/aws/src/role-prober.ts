import {
  type ContextEntry,
  type EvaluationResult,
  GetContextKeysForPrincipalPolicyCommand,
  GetInstanceProfileCommand,
  GetRoleCommand,
  type IAMClient,
  type InstanceProfile,
  ListInstanceProfilesForRoleCommand,
  SimulatePrincipalPolicyCommand,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import type {
  Answer,
  Call,
  InstanceProfileFacts,
  Prober,
  RoleProbe,
  SimulatedDecision,
  SimulationRequest,
} from "@garrison/roles/prober";
import { askAws } from "./ask-aws.ts";
import { assumeRole } from "./assume-role.ts";
import { openAwsClients, type AwsClients } from "./aws-clients.ts";
import { staticCredentials } from "./aws-credentials.ts";
import type { CallPace, PacedCall } from "./call-pace.ts";
import { openSharedConnections } from "./shared-connections.ts";

/** Sessions of the check, as the target account's CloudTrail shows them. */
const sessionName = "garrison-check";
const shortestSessionSeconds = 900;

/** An open prober holds clients for each role that it assumed; close it after the check. */
export interface AwsProber extends Prober {
  close(): void;
}

const sharedSockets = 128;
const answerTimeoutMs = 30_000;

/**
 * Asks AWS with the given identity (the appliance's) and with the roles that it can assume. With a pace, calls keep to
 * AWS's rates, the appliance's clients must have been opened with `attempts: 1`, and all roles share their connections.
 */
export function openProber(appliance: AwsClients, pace?: CallPace): AwsProber {
  const opened: AwsClients[] = [];
  const connections = pace === undefined ? undefined : openSharedConnections(sharedSockets, answerTimeoutMs);
  const shared = connections === undefined ? {} : { connections, attempts: 1 };
  const ask = paceOf(pace);
  let callerAccount = "";
  return {
    callerIdentity: (call) =>
      ask({ service: "sts", accountId: callerAccount, doing: "asking who we are" }, call, async () => {
        const answer = await appliance
          .sts()
          .send(new GetCallerIdentityCommand({}), { abortSignal: call.signal });
        callerAccount = answer.Account ?? "";
        return { arn: answer.Arn ?? "", accountId: callerAccount };
      }),
    assume: (request, call) => {
      const doing = `assuming ${request.roleArn}`;
      return ask({ service: "sts", accountId: callerAccount, doing }, call, async () => {
        const wanted = { ...request, sessionName, durationSeconds: shortestSessionSeconds };
        const credentials = await assumeRole(appliance.sts(), wanted, call);
        const clients = openAwsClients({
          ...withoutIdentity(appliance),
          ...shared,
          credentials: staticCredentials(credentials),
        });
        opened.push(clients);
        return openRoleProbe(clients.iam(), ask);
      });
    },
    close: () => {
      for (const clients of opened.splice(0)) clients.close();
      connections?.[Symbol.dispose]();
    },
  };
}

type Ask = <Value>(paced: PacedCall, call: Call, question: () => Promise<Value>) => Promise<Answer<Value>>;

function paceOf(pace: CallPace | undefined): Ask {
  return (paced, call, question) =>
    askAws(call, paced.doing, () => (pace === undefined ? question() : pace.run(paced, call, question)));
}

function withoutIdentity({ options }: AwsClients) {
  const { endpoint, region } = options;
  return endpoint === undefined ? { region } : { region, endpoint };
}

/** Asks with the rights of whoever the client is: the role itself, or an operator who may read and simulate it. */
export function openRoleProbe(iam: IAMClient, ask: Ask = paceOf(undefined)): RoleProbe {
  const reading = (arn: string, doing: string): PacedCall => ({
    service: "iam",
    accountId: arn.split(":")[4] ?? "",
    doing,
  });
  return {
    getRole: (roleArn, call) =>
      ask(reading(roleArn, `reading ${roleArn}`), call, async () => {
        const command = new GetRoleCommand({ RoleName: nameOf(roleArn) });
        const { Role } = await iam.send(command, { abortSignal: call.signal });
        return {
          arn: Role?.Arn ?? roleArn,
          trust: parseDocument(Role?.AssumeRolePolicyDocument),
          ...(Role?.MaxSessionDuration === undefined
            ? {}
            : { maxSessionDurationSeconds: Role.MaxSessionDuration }),
        };
      }),
    listInstanceProfiles: (roleArn, call) =>
      ask(reading(roleArn, `listing the instance profiles of ${roleArn}`), call, () =>
        listProfiles(iam, nameOf(roleArn), call),
      ),
    getInstanceProfile: (name, call) =>
      ask(reading(name, `reading the instance profile ${name}`), call, async () => {
        const command = new GetInstanceProfileCommand({ InstanceProfileName: name });
        const answer = await iam.send(command, { abortSignal: call.signal });
        return profileFacts(answer.InstanceProfile);
      }),
    simulate: (request, call) =>
      ask(
        { ...reading(request.roleArn, `simulating ${request.roleArn}`), service: "iam-simulator" },
        call,
        () => simulate(iam, request, call),
      ),
    contextKeys: (roleArn, call) =>
      ask(reading(roleArn, `listing the context keys of ${roleArn}`), call, async () => {
        const command = new GetContextKeysForPrincipalPolicyCommand({ PolicySourceArn: roleArn });
        const answer = await iam.send(command, { abortSignal: call.signal });
        return answer.ContextKeyNames ?? [];
      }),
  };
}

async function listProfiles(
  iam: IAMClient,
  roleName: string,
  call: Call,
): Promise<readonly InstanceProfileFacts[]> {
  const found: InstanceProfileFacts[] = [];
  let marker: string | undefined;
  do {
    const command = new ListInstanceProfilesForRoleCommand({ RoleName: roleName, Marker: marker });
    const page = await iam.send(command, { abortSignal: call.signal });
    found.push(...(page.InstanceProfiles ?? []).map(profileFacts));
    marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (marker !== undefined);
  return found;
}

function profileFacts(profile: InstanceProfile | undefined): InstanceProfileFacts {
  const roles = (profile?.Roles ?? []).map(({ Arn, AssumeRolePolicyDocument: document }) => ({
    arn: Arn ?? "",
    ...(document === undefined ? {} : { trust: parseDocument(document) }),
  }));
  return { arn: profile?.Arn ?? "", name: profile?.InstanceProfileName ?? "", roles };
}

async function simulate(
  iam: IAMClient,
  request: SimulationRequest,
  call: Call,
): Promise<readonly SimulatedDecision[]> {
  const found: SimulatedDecision[] = [];
  let marker: string | undefined;
  do {
    const command = new SimulatePrincipalPolicyCommand({
      PolicySourceArn: request.roleArn,
      ActionNames: [...request.actions],
      ResourceArns: [...request.resources],
      ContextEntries: Object.entries(request.context).map(contextEntry),
      Marker: marker,
    });
    const page = await iam.send(command, { abortSignal: call.signal });
    found.push(...(page.EvaluationResults ?? []).flatMap((result) => decisionsOf(result, request)));
    marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (marker !== undefined);
  return found;
}

/** The simulator types its context: a boolean given as a string matches no Bool condition. */
function contextEntry([name, value]: readonly [string, string | readonly string[]]): ContextEntry {
  if (typeof value !== "string") {
    return { ContextKeyName: name, ContextKeyValues: [...value], ContextKeyType: "stringList" };
  }
  const type = value === "true" || value === "false" ? "boolean" : "string";
  return { ContextKeyName: name, ContextKeyValues: [value], ContextKeyType: type };
}

/**
 * The verdict for each resource: the one at the top is about the resource *type* since 2026, and its name a template,
 * unless the resource asked for is `*`.
 */
function decisionsOf(result: EvaluationResult, request: SimulationRequest): readonly SimulatedDecision[] {
  const action = result.EvalActionName ?? "";
  const allowedByOrganization = result.OrganizationsDecisionDetail?.AllowedByOrganizations;
  const whole = {
    decision: result.EvalDecision,
    statements: result.MatchedStatements,
    missing: result.MissingContextValues,
    boundary: result.PermissionsBoundaryDecisionDetail,
  };
  const specific = (result.ResourceSpecificResults ?? []).map((one) => ({
    resource: one.EvalResourceName ?? "*",
    decision: one.EvalResourceDecision,
    statements: one.MatchedStatements,
    missing: one.MissingContextValues,
    boundary: one.PermissionsBoundaryDecisionDetail ?? whole.boundary,
  }));
  const [only = "*"] = request.resources;
  const parts = specific.length > 0 ? specific : [{ ...whole, resource: result.EvalResourceName ?? only }];
  return parts.map((part) => ({
    action,
    resource: part.resource,
    decision: part.decision ?? "implicitDeny",
    matched: (part.statements ?? []).map(({ SourcePolicyId, SourcePolicyType }) => ({
      policy: SourcePolicyId ?? "a policy",
      ...(SourcePolicyType === undefined ? {} : { type: SourcePolicyType }),
    })),
    missingContext: part.missing ?? [],
    ...(allowedByOrganization === undefined ? {} : { allowedByOrganization }),
    ...(part.boundary === undefined
      ? {}
      : { allowedByBoundary: part.boundary.AllowedByPermissionsBoundary ?? false }),
  }));
}

function nameOf(roleArn: string): string {
  return roleArn.split("/").at(-1) ?? roleArn;
}

/** IAM sends documents percent-encoded. */
export function parseDocument(text: string | undefined): object {
  return JSON.parse(decodeURIComponent(text ?? "%7B%7D")) as object;
}

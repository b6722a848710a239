import {
  CloudTrailClient,
  type LookupAttributeKey,
  LookupEventsCommand,
  type LookupEventsCommandInput,
} from "@aws-sdk/client-cloudtrail";
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  GetRoleCommand,
  type IAMClient,
  PutRolePolicyCommand,
  TagRoleCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { findRoleEvents } from "@garrison/aws/find-role-events";
import { issueRoleCredentials } from "@garrison/lab/identity/issue-role-credentials";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import type { DriftChange } from "@garrison/roles/drift/compare-roles";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const production = "222222222222";
const ec2 = "ec2.amazonaws.com";
const operatorArn = `arn:aws:iam::${production}:user/operator`;
const roleArn = `arn:aws:iam::${production}:role/watched`;
const call = { signal: new AbortController().signal };
const startedMs = Date.now();
let aheadMs = 0;
/** The lab's time, which runs on where somebody waits for it. */
const clock = {
  now: () => Date.now() + aheadMs,
  sleep: async (ms: number) => void (aheadMs += ms),
};
/** Longer than a call takes, shorter than the pause between two lookups. */
const trailDelayMs = 400;

let lab: RunningLab;
let folder: string;
let operator: AwsClients;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "garrison-events-"));
  lab = await startLab({ dataDir: join(folder, "lab"), seed: "demo", trailDelayMs, clock });
  const keys = lab.operators[production]!;
  // One attempt: what AWS limits is to be seen.
  operator = openAwsClients({
    region: "eu-central-1",
    endpoint: lab.endpoint,
    credentials: async () => keys,
    attempts: 1,
  });
  const iam = operator.iam();
  const AssumeRolePolicyDocument = trust(production);
  await iam.send(new CreateRoleCommand({ RoleName: "watched", AssumeRolePolicyDocument }));
  const ofEc2 = policy({ Effect: "Allow", Principal: { Service: ec2 }, Action: "sts:AssumeRole" });
  await iam.send(new CreateRoleCommand({ RoleName: "stranger", AssumeRolePolicyDocument: ofEc2 }));
  await iam.send(new GetRoleCommand({ RoleName: "watched" }));
});

afterAll(async () => {
  operator?.close();
  await lab?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function trust(account: string): string {
  return policy({ Effect: "Allow", Principal: { AWS: account }, Action: "sts:AssumeRole" });
}

function policy(statement: object): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
}

const told = () => clock.sleep(trailDelayMs);

/** Keeps below two lookups a second, as a good neighbour does. */
async function lookUp(input: Partial<LookupEventsCommandInput>, region = "us-east-1") {
  await clock.sleep(550);
  const client = new CloudTrailClient({
    region,
    endpoint: lab.endpoint,
    credentials: lab.operators[production]!,
    maxAttempts: 1,
  });
  return await client.send(new LookupEventsCommand(input));
}

const byAttribute = (key: string, value: string) => [
  { AttributeKey: key as LookupAttributeKey, AttributeValue: value },
];

describe("the lab's event history", () => {
  it("tells of a call that changed IAM in IAM's Region, with the record itself", async () => {
    const { Events = [] } = await lookUp({ LookupAttributes: byAttribute("ResourceName", "watched") });
    expect(Events.map(({ EventName }) => EventName)).toEqual(["CreateRole"]);
    expect(Events[0]).toMatchObject({
      EventSource: "iam.amazonaws.com",
      ReadOnly: "false",
      Username: "operator",
      Resources: [
        { ResourceType: "AWS::IAM::Role", ResourceName: "watched" },
        { ResourceType: "AWS::IAM::Role", ResourceName: roleArn },
      ],
    });
    expect(JSON.parse(Events[0]?.CloudTrailEvent ?? "")).toMatchObject({
      eventName: "CreateRole",
      awsRegion: "us-east-1",
      sourceIPAddress: "127.0.0.1",
      userIdentity: { type: "IAMUser", arn: operatorArn, userName: "operator", accountId: production },
      requestParameters: { roleName: "watched", assumeRolePolicyDocument: trust(production) },
      responseElements: { role: { arn: roleArn } },
      readOnly: false,
    });
  });

  it("knows a call only after the delay that the lab was started with", async () => {
    await clock.sleep(550);
    await operator.iam().send(new TagRoleCommand({ RoleName: "stranger", Tags: [{ Key: "a", Value: "b" }] }));
    const EventName = byAttribute("EventName", "TagRole");
    const client = operator.cloudTrail();
    const early = await client.send(new LookupEventsCommand({ LookupAttributes: EventName }));
    expect(early.Events).toEqual([]);
    const late = await lookUp({ LookupAttributes: EventName });
    expect(late.Events).toHaveLength(1);
  });

  it("has nothing of it in another Region", async () => {
    const elsewhere = await lookUp({ LookupAttributes: byAttribute("ResourceName", "watched") }, "us-west-2");
    expect(elsewhere.Events).toEqual([]);
  });

  it("gives pages, whose tokens go with their parameters only", async () => {
    const first = await lookUp({ MaxResults: 1 });
    expect(first.Events).toHaveLength(1);
    const second = await lookUp({ MaxResults: 1, NextToken: first.NextToken });
    expect(second.Events?.[0]?.EventId).not.toBe(first.Events?.[0]?.EventId);
    await expect(lookUp({ MaxResults: 2, NextToken: first.NextToken })).rejects.toMatchObject({
      name: "InvalidNextTokenException",
    });
  });

  it.each([
    [
      "two attributes",
      { LookupAttributes: [...byAttribute("EventName", "x"), ...byAttribute("EventId", "y")] },
    ],
    ["an attribute that isn't there", { LookupAttributes: byAttribute("Region", "x") }],
  ])("refuses %s", async (_, input) => {
    await expect(lookUp(input)).rejects.toMatchObject({ name: "InvalidLookupAttributesException" });
  });

  it.each([
    ["51 events a page", { MaxResults: 51 }, "InvalidMaxResultsException"],
    [
      "an end before the start",
      { StartTime: new Date(2000), EndTime: new Date(1000) },
      "InvalidTimeRangeException",
    ],
  ])("refuses %s", async (_, input, name) => {
    await expect(lookUp(input)).rejects.toMatchObject({ name });
  });

  it("refuses a third lookup within a second", async () => {
    await clock.sleep(1100);
    const client = operator.cloudTrail();
    const asked = [1, 2, 3].map(() => client.send(new LookupEventsCommand({})));
    const outcomes = await Promise.allSettled(asked);
    const refused = outcomes.flatMap((one) => (one.status === "rejected" ? [String(one.reason.name)] : []));
    expect(refused).toEqual(["ThrottlingException"]);
    await clock.sleep(1100);
  });
});

describe("finding who changed a role", () => {
  async function find(changes: readonly DriftChange[], clients: AwsClients = operator) {
    await clock.sleep(550);
    const request = { roleArn, changes, sinceMs: startedMs, untilMs: clock.now() };
    return await findRoleEvents({ clock, cloudTrail: clients.cloudTrail() }, request, call);
  }

  it("names the calls that fit, by whom and from where, and leaves out those that failed", async () => {
    const iam: IAMClient = operator.iam();
    const broken = new UpdateAssumeRolePolicyCommand({ RoleName: "watched", PolicyDocument: "{" });
    await expect(iam.send(broken)).rejects.toThrow();
    const PolicyDocument = trust("111111111111");
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: "watched", PolicyDocument }));
    const own = policy({ Effect: "Allow", Action: "sqs:*", Resource: "*" });
    await iam.send(new PutRolePolicyCommand({ RoleName: "watched", PolicyName: "own", PolicyDocument: own }));
    await told();
    const found = await find([{ part: "trust policy", before: {}, after: {} }]);
    expect(found).toMatchObject({
      outcome: "known",
      value: {
        isCutOff: false,
        events: [
          { name: "CreateRole", who: operatorArn },
          { name: "UpdateAssumeRolePolicy", who: operatorArn, from: "127.0.0.1", hasFailed: false },
        ],
      },
    });
  });

  it("finds a new version of a managed policy that the role has", async () => {
    const iam = operator.iam();
    const PolicyDocument = policy({ Effect: "Deny", Action: "s3:*", Resource: "*" });
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: "guard", PolicyDocument }));
    const PolicyArn = Policy!.Arn!;
    await iam.send(new AttachRolePolicyCommand({ RoleName: "watched", PolicyArn }));
    const next = policy({ Effect: "Deny", Action: "sqs:*", Resource: "*" });
    await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: next, SetAsDefault: true }));
    await told();
    const found = await find([{ part: `attached policy ${PolicyArn}`, before: {}, after: {} }]);
    expect(found.outcome === "known" && found.value.events.map(({ name }) => name)).toEqual([
      "CreateRole",
      "AttachRolePolicy",
      "CreatePolicyVersion",
    ]);
  });

  it("says honestly that it may not ask", async () => {
    const keys = issueRoleCredentials(lab.lab, {
      roleArn: `arn:aws:iam::${production}:role/stranger`,
      sessionName: "stranger",
      durationSeconds: 900,
      trustPrincipal: ec2,
    });
    const clients = openAwsClients({
      region: "eu-central-1",
      endpoint: lab.endpoint,
      credentials: async () => keys,
    });
    const found = await find([{ part: "trust policy", before: {}, after: {} }], clients);
    clients.close();
    expect(found).toMatchObject({
      outcome: "refused",
      message: expect.stringContaining("is not authorized to perform: cloudtrail:LookupEvents"),
    });
  });
});

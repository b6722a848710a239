import type { RoleDrift } from "@garrison/api/schemas/role-drift";
import { describe, expect, it } from "vitest";
import { formatDrifts } from "./format-drifts.ts";

const drift: RoleDrift = {
  id: "drift-1",
  roleArn: "arn:aws:iam::222222222222:role/team/garrison-worker",
  accountId: "222222222222",
  since: "2026-11-24T06:00:00.000Z",
  foundAt: "2026-11-25T06:00:00.000Z",
  seenAt: "2026-11-25T07:00:00.000Z",
  isBroken: true,
  changes: [
    { part: "instance profiles", before: { InstanceProfiles: ["a"] }, after: { InstanceProfiles: [] } },
  ],
  events: [],
};

describe("what was changed in roles", () => {
  it("names who made the change, when and from where", () => {
    const [at, who] = ["2026-11-24T09:30:00.000Z", "arn:aws:sts::222222222222:assumed-role/admin/alice"];
    const name = "RemoveRoleFromInstanceProfile";
    const text = formatDrifts([{ ...drift, events: [{ name, at, who, from: "192.0.2.7" }] }]);
    expect(text).toContain(`  ${at}  ${name} by ${who} from 192.0.2.7\n`);
    expect(text).not.toContain("aws cloudtrail");
  });

  it.each([
    ["aws", "us-east-1"],
    ["aws-cn", "cn-north-1"],
    ["aws-us-gov", "us-gov-west-1"],
  ])("in %s says why nobody is named, and how to ask in %s, where IAM's calls are", (partition, region) => {
    const roleArn = drift.roleArn.replace("arn:aws:", `arn:${partition}:`);
    const text = formatDrifts([{ ...drift, roleArn, eventsUnread: "it may not ask" }]);
    expect(text).toContain("who and when: not known: it may not ask; with read rights on the account:");
    expect(text).toContain(
      `aws cloudtrail lookup-events --region ${region} --start-time 2026-11-24T06:00:00.000Z \\\n` +
        "      --lookup-attributes AttributeKey=ResourceName,AttributeValue=garrison-worker\n",
    );
  });
});

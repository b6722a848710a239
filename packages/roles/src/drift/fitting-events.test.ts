import { expect, test } from "vitest";
import type { DriftChange } from "./compare-roles.ts";
import { fittingEvents, namesToLookUp } from "./fitting-events.ts";
import type { TrailEvent } from "./trail-event.ts";

const roleArn = "arn:aws:iam::222222222222:role/garrison/garrison-worker";
const guard = "arn:aws:iam::222222222222:policy/guard";
let made = 0;
const event = (name: string, more: Partial<TrailEvent> = {}): TrailEvent => ({
  id: `event-${++made}`,
  name,
  atMs: made,
  who: "arn:aws:iam::222222222222:user/alice",
  hasFailed: false,
  roleName: "garrison-worker",
  ...more,
});
const names = (changes: readonly DriftChange[], events: readonly TrailEvent[]) =>
  fittingEvents(roleArn, changes, events).map(({ name }) => name);

test.each([
  ["trust policy", "UpdateAssumeRolePolicy"],
  ["inline policy garrison-worker", "PutRolePolicy"],
  ["inline policy garrison-worker", "DeleteRolePolicy"],
  [`attached policy ${guard}`, "AttachRolePolicy"],
  ["permissions boundary", "PutRolePermissionsBoundary"],
  ["instance profiles", "RemoveRoleFromInstanceProfile"],
])("a changed %s is explained by %s", (part, name) => {
  const others = [event("TagRole"), event("UpdateRole")];
  expect(names([{ part, before: {} }], [...others, event(name)])).toEqual([name]);
});

test("what failed, what another role had and what changes another part explains nothing", () => {
  const events = [
    event("UpdateAssumeRolePolicy", { hasFailed: true }),
    event("UpdateAssumeRolePolicy", { roleName: "other" }),
    event("PutRolePolicy", { policyName: "theirs" }),
  ];
  expect(names([{ part: "trust policy", before: {}, after: {} }], events)).toEqual([]);
});

test("a policy's change is explained by calls that named that policy", () => {
  const [mine, theirs] = [{ policyName: "garrison-worker" }, { policyName: "theirs" }];
  const events = [event("PutRolePolicy", theirs), event("DeleteRolePolicy", mine)];
  expect(names([{ part: "inline policy garrison-worker", before: {} }], events)).toEqual([
    "DeleteRolePolicy",
  ]);
});

test("a role that was made again explains every change, and events come in the order of their time", () => {
  const events = [event("CreateRole", { atMs: 9 }), event("DeleteRole", { atMs: 8 })];
  expect(names([{ part: "instance profiles", before: {}, after: {} }], events)).toEqual([
    "DeleteRole",
    "CreateRole",
  ]);
});

test("an event that was found by two names is told once", () => {
  const attached = event("AttachRolePolicy", { policyArn: guard });
  expect(names([{ part: `attached policy ${guard}`, after: {} }], [attached, attached])).toHaveLength(1);
});

test("a managed policy whose document differs is looked up by its own name", () => {
  const changes = [{ part: `attached policy ${guard}`, before: { Version: "1" }, after: { Version: "2" } }];
  const { roleName: _none, ...version } = event("CreatePolicyVersion", { policyArn: guard });
  expect(namesToLookUp(roleArn, changes)).toEqual(["garrison-worker", guard]);
  expect(names(changes, [version])).toEqual(["CreatePolicyVersion"]);
});

test("a policy that was only attached or taken off is not looked up: the role's own events tell it", () => {
  expect(namesToLookUp(roleArn, [{ part: `attached policy ${guard}`, after: {} }])).toEqual([
    "garrison-worker",
  ]);
});

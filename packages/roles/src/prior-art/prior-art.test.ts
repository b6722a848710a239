import { expect, it } from "vitest";
import { comparePriorArt } from "./compare-prior-art.ts";
import { formatComparison } from "./format-comparison.ts";
import { reasons } from "./reasons.ts";

const { roles } = comparePriorArt();
const find = (id: string) => roles.find(({ role }) => role === id);

it.each(roles.map((role) => [role.role, role] as const))(
  "says of every published right that %s does without why it does",
  (_, { onlyTheirs }) => {
    expect(onlyTheirs.filter(({ kind }) => kind === "unexplained")).toEqual([]);
  },
);

it("compares every role with lists whose source is named, and asks for fewer actions wherever there are many", () => {
  for (const { ourCount, role, sources, theirCount } of roles) {
    expect(sources.length, role).toBeGreaterThan(0);
    if (theirCount > 10) expect(ourCount, role).toBeLessThan(theirCount);
  }
});

it("finds the worker role's 33 actions in both, ours on named resources where AWS lists any", () => {
  const worker = find("worker");
  expect(worker?.shared).toHaveLength(33);
  expect(worker?.onlyOurs).toEqual([]);
  expect(worker?.onlyTheirs.map(({ action }) => action)).toEqual([
    "iam:ListAccountAliases",
    "pricing:GetProducts",
  ]);
  expect(worker?.shared.find(({ action }) => action === "ssm:GetParameter")).toEqual({
    action: "ssm:GetParameter",
    ours: "narrower",
    resources: ["arn:${partition}:ssm:${region}:*:parameter/aws/service/*"],
    isConditioned: false,
    theirs: "every resource",
  });
});

it("tells what is lent from what a role uses itself, and their conditions from none", () => {
  const backup = find("backup-ec2")?.shared ?? [];
  expect(backup.find(({ action }) => action === "ebs:GetSnapshotBlock")).toMatchObject({ ours: "lent" });
  expect(backup.find(({ action }) => action === "ec2:DescribeVolumes")).toMatchObject({ ours: "as-wide" });
  const indexing = find("backup-efs")?.shared ?? [];
  expect(indexing.find(({ action }) => action === "ec2:TerminateInstances")?.theirs).toBe(
    "every resource, under a condition",
  );
});

it("reads the same actions spelled in other cases as the same", () => {
  const databases = find("restore-rds");
  const actions = [...(databases?.shared ?? []), ...(databases?.onlyTheirs ?? [])].map(({ action }) =>
    action.toLowerCase(),
  );
  expect(new Set(actions).size).toBe(actions.length);
});

it("says each reason in one sentence", () => {
  for (const { reason } of reasons) expect(reason).toMatch(/^[A-Z][^\n]+\.$/);
  const text = formatComparison(comparePriorArt());
  expect(text).toContain("no key pair");
  expect(text).toContain("(not offered here)");
});

import { expect, test } from "vitest";
import type { Grant } from "../grant.ts";
import { planTrials, type SeenUse } from "./plan-trials.ts";
import type { ProofSubject } from "./proof-subject.ts";

const grant: Grant = {
  id: "make-queues",
  actions: ["sqs:CreateQueue"],
  resources: ["*"],
  placement: "always",
  caller: "appliance",
  step: "open the channel",
  why: "A queue is made.",
};
const subject: ProofSubject = {
  role: "backup-ec2",
  operation: "worker.launch",
  grant,
  action: "sqs:CreateQueue",
};
const use: SeenUse = {
  role: "backup-ec2",
  roleArn: "arn:aws:iam::222222222222:role/garrison-backup-ec2",
  action: "sqs:CreateQueue",
  statement: "MakeQueues",
  isAlone: true,
};

test("a right is tried in the first scenario that used it by its own statement alone", () => {
  const runs = [
    { scenario: "other", uses: [{ ...use, statement: "Other" }] },
    { scenario: "shared", uses: [{ ...use, isAlone: false }] },
    { scenario: "alone", uses: [use] },
    { scenario: "later", uses: [use] },
  ];
  expect(planTrials([subject], runs).trials).toEqual([
    { subject, scenario: "alone", roleArn: use.roleArn, statements: ["MakeQueues"] },
  ]);
});

test("what two statements always give together is taken out of both", () => {
  const beside = { ...use, statement: "Beside", isAlone: false };
  const runs = [{ scenario: "only", uses: [{ ...use, isAlone: false }, beside] }];
  expect(planTrials([subject], runs).trials[0]?.statements).toEqual(["MakeQueues", "Beside"]);
});

test("another role's use of the same grant proves nothing", () => {
  const runs = [{ scenario: "elsewhere", uses: [{ ...use, role: "restore-ec2" as const }] }];
  expect(planTrials([subject], runs)).toEqual({
    trials: [],
    untried: [{ subject, verdict: "not-asked" }],
  });
});

test("an action that a scenario says it tries is tried there, though an earlier one asks for it", () => {
  const runs = [
    { scenario: "earlier", uses: [use] },
    { scenario: "felt", tries: ["sqs:CreateQueue"], uses: [use] },
  ];
  expect(planTrials([subject], runs).trials[0]?.scenario).toBe("felt");
});

const contract = { source: "https://docs.aws.amazon.com/" };

test.each([
  [{ contract }, "by-contract"],
  [{ contract: { ...contract, actions: ["sqs:CreateQueue"] } }, "by-contract"],
  [{ contract: { ...contract, actions: ["sqs:TagQueue"] } }, "not-asked"],
  [{ neededWhen: "a volume is encrypted" }, "not-asked"],
] as const)("what nobody asked for and has %o is %s", (change, verdict) => {
  const unused = { ...subject, grant: { ...grant, ...change } };
  expect(planTrials([unused], []).untried).toEqual([{ subject: unused, verdict }]);
});

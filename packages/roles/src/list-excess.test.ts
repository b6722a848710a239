import { expect, it } from "vitest";
import { formatChainReport } from "./format-chain-report.ts";
import { policyOf } from "./testing/breakages/breakage.ts";
import { checkStage, production, workerArn, workingStage } from "./testing/breakages/working-stage.ts";

function asking(stage: ReturnType<typeof workingStage>) {
  return { ...stage, request: { ...stage.request, withExcess: true } };
}

it("roles as documented in the scoped form can do nothing beyond the catalogue", async () => {
  for (const withReadRights of [true, false]) {
    const report = await checkStage(asking(workingStage()), { withReadRights });
    expect(report.excess).toEqual([]);
    expect(report.verdict).toBe("passed");
  }
});

it("a worker role that may delete snapshots is an alarm, by its policies and by the simulator alone", async () => {
  const stage = workingStage();
  stage.role("worker").identityPolicies.push({
    name: "power",
    policy: policyOf({ Sid: "Everything", Effect: "Allow", Action: "ec2:*", Resource: "*" }),
  });
  for (const withReadRights of [true, false]) {
    const report = await checkStage(asking(stage), { withReadRights });
    const alarm = report.excess?.find(({ action }) => action === "ec2:DeleteSnapshot");
    expect(alarm).toMatchObject({ kind: "alarm", subject: workerArn });
    expect(alarm?.sentence).toContain("ALARM: the worker role, which must only talk, ");
    expect(report.verdict).toBe("failed");
  }
  const read = await checkStage(asking(stage));
  const statement = { policy: "power", sid: "Everything", statementIndex: 0, accountId: production };
  expect(read.excess?.find(({ kind }) => kind === "alarm")?.statement).toMatchObject(statement);
  expect(read.excess?.find(({ kind, action }) => kind === "beyond" && action === "ec2:*")).toMatchObject({
    sentence: `${workerArn} holds ec2:* on *, which nothing of ours needs.`,
    statement,
  });
});

it("a worker role that may read the repository or foreign buckets is an alarm", async () => {
  const stage = workingStage();
  stage.role("worker").identityPolicies.push({
    name: "reader",
    policy: policyOf({ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }),
  });
  const text = formatChainReport(await checkStage(asking(stage)));
  expect(text).toContain(`may read the repository (s3:GetObject on arn:aws:s3:::vault/main/domain/object)`);
  expect(text).toContain("may read foreign buckets");
});

it("the compatible form reaches further than the scoped one: foreign queues and parameters are alarms", async () => {
  const report = await checkStage(asking(workingStage({ form: "compatible" })));
  const alarms = report.excess?.filter(({ kind }) => kind === "alarm").map(({ action }) => action);
  expect(alarms).toEqual(["ssm:GetParameter", "sqs:ReceiveMessage", "sqs:DeleteMessage"]);
  const wide = report.excess?.find(
    ({ action, kind, subject }) => kind === "wide" && action === "sqs:SendMessage" && subject === workerArn,
  );
  expect(wide?.sentence).toContain(
    "on every resource; arn:aws:sqs:eu-central-1:222222222222:garrison-7f3a09c1-*-out would do",
  );
});

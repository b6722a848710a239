import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { checkChain } from "./check-chain.ts";
import { formatChainReport } from "./format-chain-report.ts";
import { launchingArn, production, workingStage } from "./testing/breakages/working-stage.ts";
import { memoryPolicyReader, memoryProber } from "./testing/memory-world.ts";

const rcp = {
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "QueuesForPlatformOnly",
      Effect: "Deny",
      Principal: "*",
      Action: "sqs:SendMessage",
      Resource: "*",
      Condition: {
        ArnNotLike: {
          "aws:PrincipalArn": ["arn:aws:iam::*:role/platform-*", "arn:aws:iam::*:role/garrison-backup-*"],
        },
      },
    },
  ],
};

/** What the README shows of one check, as the check prints it now. */
it("the README's example of a denial is what the check says of that organisation", async () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const [, example = ""] = /^\$ garrison roles check .*\n\.\.\.\n([\s\S]*?)```/m.exec(readme) ?? [];
  const { world } = workingStage({ externalId: "OUR-ID" });
  const levels = world.resourceControlPolicies.get(production) ?? [];
  const guarded = levels.map((level) =>
    level.orgIdentifier === "ou-root-workloads"
      ? { ...level, policies: [...level.policies, { name: "queues (p-l6pbfvg2e1)", policy: rcp }] }
      : level,
  );
  world.resourceControlPolicies.set(production, guarded);
  const report = await checkChain(
    { prober: memoryProber(world), policyReader: memoryPolicyReader(world) },
    {
      roleArn: launchingArn,
      operations: ["ec2.image-backup"],
      placement: "production",
      externalId: "OUR-ID",
      region: "eu-central-1",
    },
    { signal: new AbortController().signal },
  );
  const [, worker, summary] = formatChainReport(report).trimEnd().split("\n\n");
  expect(example.trimEnd()).toBe(`${worker}\n\n${summary}`);
});

import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";

let lab: RunningLab;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lab-"));
  lab = await startLab({ dataDir, seed: "demo" });
});
afterAll(async () => {
  await lab.stop();
  await rm(dataDir, { recursive: true });
});

test("the operator of an account is who they say they are", async () => {
  const sts = new STSClient({
    region: "eu-central-1",
    endpoint: lab.endpoint,
    credentials: lab.operators["222222222222"]!,
  });
  const answer = await sts.send(new GetCallerIdentityCommand({}));
  expect(answer.Arn).toBe("arn:aws:iam::222222222222:user/operator");
});

import { expect, test } from "vitest";
import { isStandardType, judgeVcpus } from "./judge-vcpus.ts";

const place = { instanceType: "c6i.large", region: "eu-central-1" };

test("a worker for which the last two vCPUs are left may run", () => {
  const vcpus = { known: { limit: 32, running: 30, needed: 2 } };
  expect(judgeVcpus({ ...place, vcpus })).toEqual({
    check: "vCPU quota",
    verdict: "passed",
    sentence: "30 of 32 vCPUs are in use in eu-central-1; c6i.large needs 2.",
  });
});

test("a worker beyond the quota is refused with the command that asks AWS for more", () => {
  const vcpus = { known: { limit: 32, running: 31, needed: 2 } };
  expect(judgeVcpus({ ...place, vcpus })).toEqual({
    check: "vCPU quota",
    verdict: "failed",
    sentence: "31 of 32 vCPUs are in use in eu-central-1: there is no room for the 2 of c6i.large.",
    fix: "aws service-quotas request-service-quota-increase --region eu-central-1 --service-code ec2 --quota-code L-1216C47A --desired-value 33",
  });
});

test("a quota that could not be read is unknown", () => {
  const vcpus = { unread: "Not known: denied." };
  expect(judgeVcpus({ ...place, vcpus })).toMatchObject({
    verdict: "unknown",
    sentence: "Not known: denied.",
  });
});

test.each([
  ["t3.medium", true],
  ["c6i.large", true],
  ["m7g.xlarge", true],
  ["im4gn.large", true],
  ["is4gen.medium", true],
  ["inf2.xlarge", false],
  ["g5.xlarge", false],
  ["x2idn.16xlarge", false],
  ["trn1.2xlarge", false],
  ["hpc7g.4xlarge", false],
  ["dl1.24xlarge", false],
] as const)("the standard quota is about %s: %s", (type, isStandard) => {
  expect(isStandardType(type)).toBe(isStandard);
});

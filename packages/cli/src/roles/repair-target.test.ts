import { describe, expect, it } from "vitest";
import type { CliContext } from "../cli-context.ts";
import { repairTarget } from "./repair-target.ts";

const context = { environment: { AWS_REGION: "eu-central-1" } } as unknown as CliContext;
const flags = { form: "scoped", backupAccount: "111111111111", externalId: "garrison-7f3a" };
const roleArn = "arn:aws:iam::222222222222:role/garrison-worker";

describe("what a role is to be", () => {
  it("is judged with the endpoints of the subnet's VPC, in the repair and in the check after it", () => {
    const { request, subject } = repairTarget(roleArn, { ...flags, subnet: "subnet-0a1b" }, context);
    expect([subject.subnetId, request?.subnetId]).toEqual(["subnet-0a1b", "subnet-0a1b"]);
  });

  it("is judged without endpoints where no subnet is named", () => {
    const { request, subject } = repairTarget(roleArn, flags, context);
    expect([subject.subnetId, request?.subnetId]).toEqual([undefined, undefined]);
  });
});

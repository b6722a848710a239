import { describe, expect, it } from "vitest";
import { newRestoreSchema } from "./runs.ts";

const asked = (instanceProfile: string) =>
  newRestoreSchema.safeParse({ kind: "instance-restore", point: "0123456789abcdef", instanceProfile });

describe("the profile of a restored instance", () => {
  it.each([
    "web",
    "arn:aws:iam::222222222222:instance-profile/web",
    "arn:aws-us-gov:iam::222222222222:instance-profile/team/apps/web",
  ])("is %s", (instanceProfile) => {
    expect(asked(instanceProfile).success).toBe(true);
  });

  it.each([
    "arn:aws:iam::222222222222:role/web",
    "arn:aws:iam::222222222222:instance-profile/",
    "team/web",
    "",
  ])("is not %s, which EC2 refuses", (instanceProfile) => {
    expect(asked(instanceProfile).error?.issues[0]?.message).toBe(
      "the name or ARN of an instance profile; EC2 takes a role only by a profile that holds it",
    );
  });
});

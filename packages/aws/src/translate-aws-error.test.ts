import { expect, test } from "vitest";
import { translateAwsError } from "./translate-aws-error.ts";

const sdkError = (name: string, status = 400) =>
  Object.assign(new Error("said AWS"), { name, $metadata: { httpStatusCode: status } });

test.each([
  ["UnauthorizedOperation", "aws-access-denied"],
  ["AccessDeniedException", "aws-access-denied"],
  ["RequestLimitExceeded", "aws-throttled"],
  ["ThrottlingException", "aws-throttled"],
  ["SlowDown", "aws-throttled"],
  ["ExpiredTokenException", "aws-credentials-expired"],
  ["InvalidSnapshot.NotFound", "aws-not-found"],
  ["InvalidInstanceID.NotFound", "aws-not-found"],
  ["NoSuchEntityException", "aws-not-found"],
  ["QueueDoesNotExist", "aws-not-found"],
  ["VcpuLimitExceeded", "aws-limit-exceeded"],
  ["InsufficientInstanceCapacity", "aws-capacity"],
  ["ECONNREFUSED", "aws-unavailable"],
  ["TimeoutError", "aws-unavailable"],
  ["InvalidParameterValue", "aws-invalid-request"],
])("%s is %s", (name, code) => {
  expect(translateAwsError(sdkError(name), "doing it")).toMatchObject({ code, message: "doing it" });
});

test("an unknown code with a server's status may be tried again", () => {
  expect(translateAwsError(sdkError("SomethingNew", 503), "doing it").retryable).toBe(true);
});

test("a named error keeps its name", () => {
  const named = translateAwsError(sdkError("SlowDown"), "first");
  expect(translateAwsError(named, "second")).toBe(named);
});

test("a refusal names the action that was refused", () => {
  const sentence =
    "You are not authorized to perform this operation. User: arn:aws:sts::222222222222:assumed-role/a/b is not authorized to perform: ec2:DescribeVolumes because no identity-based policy allows the ec2:DescribeVolumes action";
  const refused = Object.assign(new Error(sentence), { name: "UnauthorizedOperation" });
  expect(translateAwsError(refused, "listing volumes")).toMatchObject({
    code: "aws-access-denied",
    message: "listing volumes (ec2:DescribeVolumes is denied)",
    details: { deniedAction: "ec2:DescribeVolumes" },
  });
});

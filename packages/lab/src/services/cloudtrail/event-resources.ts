import type { EventResource } from "./recorded-event.ts";

type Parameters = Readonly<Record<string, unknown>>;

const typesByParameter: Readonly<Record<string, string>> = {
  RoleName: "AWS::IAM::Role",
  UserName: "AWS::IAM::User",
  InstanceProfileName: "AWS::IAM::InstanceProfile",
  PolicyName: "AWS::IAM::Policy",
  PolicyArn: "AWS::IAM::Policy",
  PermissionsBoundary: "AWS::IAM::Policy",
  AccessKeyId: "AWS::IAM::AccessKey",
};

const typesByMember: Readonly<Record<string, string>> = {
  Role: "AWS::IAM::Role",
  User: "AWS::IAM::User",
  InstanceProfile: "AWS::IAM::InstanceProfile",
  Policy: "AWS::IAM::Policy",
};

/** What an IAM call was about: the things that it names, and the ARN of what it made. */
export function eventResources(input: Parameters, output: Parameters | undefined): readonly EventResource[] {
  const named = Object.entries(typesByParameter).flatMap(([parameter, type]) => {
    const name = input[parameter];
    return typeof name === "string" ? [{ type, name }] : [];
  });
  const made = Object.entries(typesByMember).flatMap(([member, type]) => {
    const name = (output?.[member] as { readonly Arn?: string } | undefined)?.Arn;
    return name === undefined ? [] : [{ type, name }];
  });
  return [...named, ...made];
}

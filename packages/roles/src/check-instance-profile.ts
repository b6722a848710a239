import type { LinkFinding } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import type { Call, RoleProbe } from "./prober.ts";
import { parseRoleArn } from "./role-arn.ts";

/** EC2 attaches instance profiles, not roles: the worker role has to be in at least one. */
export async function checkInstanceProfile(
  asks: { readonly probe: RoleProbe | undefined; readonly launcher: RoleProbe | undefined },
  subject: ChainSubject,
  call: Call,
): Promise<readonly LinkFinding[]> {
  const { roleArn } = subject;
  const { roleName } = parseRoleArn(roleArn);
  const base = { link: "instance-profile", subject: roleArn } as const;
  const listed = await asks.probe?.listInstanceProfiles(roleArn, call);
  if (listed?.outcome === "known") {
    const names = listed.value.map(({ name }) => name);
    if (names.includes(roleName)) {
      return [
        {
          ...base,
          verdict: "passed",
          knownBy: ["read"],
          sentence: `${roleArn} is in the instance profile ${roleName}.`,
        },
      ];
    }
    return [
      {
        ...base,
        verdict: "failed",
        knownBy: ["read"],
        sentence: notInOwn(roleArn, names),
        fix: profileFix(roleName),
      },
    ];
  }
  const seen = await asks.launcher?.getInstanceProfile(roleName, call);
  const knownBy = ["read by the launching role"];
  if (seen?.outcome === "known" && seen.value.roles.some(({ arn }) => arn === roleArn)) {
    return [
      {
        ...base,
        verdict: "passed",
        knownBy,
        sentence: `${roleArn} is in the instance profile ${seen.value.name}.`,
      },
    ];
  }
  if (seen?.outcome === "known") {
    const sentence = `The instance profile ${seen.value.name} does not hold ${roleArn}.`;
    return [{ ...base, verdict: "failed", knownBy, sentence, fix: profileFix(roleName) }];
  }
  if (seen?.outcome === "missing") {
    const sentence = `There is no instance profile ${roleName}, and whether ${roleArn} is in another one is unknown.`;
    return [{ ...base, verdict: "failed", knownBy, sentence, fix: profileFix(roleName) }];
  }
  const reason =
    listed?.outcome === "refused"
      ? "iam:ListInstanceProfilesForRole on itself is refused"
      : "the role can't be assumed";
  const sentence = `Whether ${roleArn} is in an instance profile is unknown: ${reason}.`;
  return [{ ...base, verdict: "unknown", knownBy: [], sentence }];
}

function notInOwn(roleArn: string, names: readonly string[]): string {
  if (names.length === 0)
    return `${roleArn} is in no instance profile, so no instance can be launched with it.`;
  return `${roleArn} is only in the instance profile ${names.join(", ")}, and workers are launched with the one named as the role.`;
}

/** As CloudFormation writes it; the profile's name may be any, the role's name is the default. */
function profileFix(roleName: string): Readonly<Record<string, unknown>> {
  return { InstanceProfileName: roleName, Roles: [roleName] };
}

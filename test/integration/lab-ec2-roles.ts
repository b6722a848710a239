import { nameKey } from "@garrison/lab/identity/identity-tables";
import type { Lab } from "@garrison/lab/lab";

export interface TestRole {
  readonly roleName: string;
  /** Allowed on everything. */
  readonly actions?: readonly string[];
  /** Or these statements. */
  readonly statements?: readonly object[];
  readonly trust?: object;
}

/** A role that its account may assume, with an instance profile of the same name; made past IAM. */
export function putRole(lab: Lab, accountId: string, role: TestRole): void {
  const { roleName } = role;
  const arn = `arn:aws:iam::${accountId}:role/${roleName}`;
  const trusted = role.trust ?? { AWS: `arn:aws:iam::${accountId}:root`, Service: "ec2.amazonaws.com" };
  const statements = role.statements ?? [{ Effect: "Allow", Action: role.actions ?? [], Resource: "*" }];
  const common = { accountId, path: "/", createdAtMs: lab.clock.now(), tags: {} };
  lab.identity.roles.put(nameKey(accountId, roleName), {
    ...common,
    roleName,
    roleId: `AROA${roleName.toUpperCase().replaceAll("-", "").padEnd(16, "X").slice(0, 16)}`,
    arn,
    maxSessionDurationSeconds: 3600,
    trustPolicy: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: trusted, Action: "sts:AssumeRole" }],
    }),
    inlinePolicies: { rights: JSON.stringify({ Version: "2012-10-17", Statement: statements }) },
    attachedPolicyArns: [],
  });
  lab.identity.instanceProfiles.put(nameKey(accountId, roleName), {
    ...common,
    instanceProfileName: roleName,
    instanceProfileId: `AIPA${roleName.toUpperCase().replaceAll("-", "").padEnd(16, "X").slice(0, 16)}`,
    arn: `arn:aws:iam::${accountId}:instance-profile/${roleName}`,
    roleName,
  });
}

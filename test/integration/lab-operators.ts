import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { issueRoleCredentials } from "@garrison/lab/identity/issue-role-credentials";
import type { RunningLab } from "@garrison/lab/start-lab";

export interface LabOperators {
  /** The operator of an account; the same clients each time. */
  of(accountId: string): AwsClients;
  close(): void;
}

export function openOperators(lab: RunningLab, region: string): LabOperators {
  const opened = new Map<string, AwsClients>();
  return {
    of(accountId) {
      const known = opened.get(accountId);
      if (known !== undefined) return known;
      const keys = lab.operators[accountId]!;
      const clients = openAwsClients({ region, endpoint: lab.endpoint, credentials: async () => keys });
      opened.set(accountId, clients);
      return clients;
    },
    close: () => {
      for (const clients of opened.values()) clients.close();
    },
  };
}

/** What the appliance finds on its instance: a session of its role. */
export function applianceSession(lab: RunningLab, accountId: string) {
  return issueRoleCredentials(lab.lab, {
    roleArn: `arn:aws:iam::${accountId}:role/garrison-appliance`,
    sessionName: "i-0123456789abcdef0",
    durationSeconds: 3600,
    trustPrincipal: "ec2.amazonaws.com",
  });
}

/** The lab as bench/roles.ts needs it: in a process of its own, with so many accounts of an organisation and their roles. */
import { createAccount } from "../packages/lab/src/identity/create-account.ts";
import { issueRoleCredentials } from "../packages/lab/src/identity/issue-role-credentials.ts";
import { nameKey } from "../packages/lab/src/identity/identity-tables.ts";
import { newUniqueId } from "../packages/lab/src/identity/unique-ids.ts";
import type { Lab } from "../packages/lab/src/lab.ts";
import { startLab } from "../packages/lab/src/start-lab.ts";
import { exportRole, type RoleDocuments } from "../packages/roles/src/export-role.ts";
import { roleCatalogue } from "../packages/roles/src/role-catalogue.ts";

const [dataDir = "", count = "100", externalId = ""] = process.argv.slice(2);
const backup = "111111111111";
const running = await startLab({ dataDir, seed: "demo" });
const accounts = Array.from({ length: Number(count) }, (_, place) => String(300_000_000_000 + place));
const inAccount = roleCatalogue.filter(
  ({ livesIn }) => livesIn === "production" || livesIn === "worker-account",
);

for (const [place, production] of accounts.entries()) {
  createAccount(running.lab, { accountId: production, name: `team-${place}`, parentId: "ou-root-workloads" });
  for (const { id } of inAccount) {
    const options = { accounts: { backup, production }, externalId, withWorkersInProduction: true };
    writeRole(running.lab, production, exportRole(id, options));
  }
}
writeRole(
  running.lab,
  backup,
  exportRole("appliance", { accounts: { backup }, assumedRoles: ["arn:aws:iam::*:role/garrison-*"] }),
);

/** Past IAM's API: nine hundred roles by its calls would take longer than what is measured. */
function writeRole(lab: Lab, accountId: string, documents: RoleDocuments): void {
  const { roleName, inlinePolicies, managedPolicies, trust } = documents;
  const { partition } = lab.settings;
  const texts = [...inlinePolicies, ...managedPolicies].map(({ document, name }) => [
    name,
    JSON.stringify(document),
  ]);
  const created = { createdAtMs: lab.clock.now(), path: "/", tags: {} };
  lab.identity.roles.put(nameKey(accountId, roleName), {
    ...created,
    accountId,
    roleName,
    roleId: newUniqueId(lab.random, "AROA"),
    arn: `arn:${partition}:iam::${accountId}:role/${roleName}`,
    maxSessionDurationSeconds: 3600,
    trustPolicy: JSON.stringify(trust),
    inlinePolicies: Object.fromEntries(texts) as Record<string, string>,
    attachedPolicyArns: [],
  });
  if (documents.instanceProfile === undefined) return;
  const { name } = documents.instanceProfile;
  lab.identity.instanceProfiles.put(nameKey(accountId, name), {
    ...created,
    accountId,
    instanceProfileName: name,
    instanceProfileId: newUniqueId(lab.random, "AIPA"),
    arn: `arn:${partition}:iam::${accountId}:instance-profile/${name}`,
    roleName,
  });
}

const keys = issueRoleCredentials(running.lab, {
  roleArn: `arn:aws:iam::${backup}:role/garrison-appliance`,
  sessionName: "i-0123456789abcdef0",
  durationSeconds: 3600,
  trustPrincipal: "ec2.amazonaws.com",
});
// As AWS would now and then: one IAM call in fifty is refused for its rate.
running.lab.faults.add({ service: "iam", fault: "throttle", probability: 0.02, seed: "bench" });
process.stdout.write(`${JSON.stringify({ endpoint: running.endpoint, accounts, keys })}\n`);
process.on("SIGTERM", () => void running.stop().then(() => process.exit(0)));

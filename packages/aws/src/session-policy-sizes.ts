import type { SessionPolicySize } from "@garrison/roles/chain-request";
import { repositoryReadPolicy, repositoryWritePolicy, type RepositoryScope } from "./session-policies.ts";

/** As long as a session's id is. */
const sampleSession = "0123456789abcdef";

/** How long the session policies are that tasks on this repository are narrowed with: names of bucket and prefix decide. */
export function sessionPolicySizes(scope: RepositoryScope): readonly SessionPolicySize[] {
  const write = repositoryWritePolicy({ ...scope, sessionId: sampleSession });
  const read = repositoryReadPolicy(scope);
  return [
    { roleId: "repository", title: "write the repository", characters: JSON.stringify(write).length },
    { roleId: "repository", title: "read the repository", characters: JSON.stringify(read).length },
  ];
}

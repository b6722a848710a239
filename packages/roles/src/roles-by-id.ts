import type { RoleId } from "./role-definition.ts";

/** The roles of an account as the appliance records them, by purpose. */
export interface RecordedRoles {
  readonly backup?: string | undefined;
  readonly restore?: string | undefined;
  readonly worker?: string | undefined;
  readonly workerDeployment?: string | undefined;
}

/** The same by the catalogue's ids; what an account hasn't is absent. */
export function rolesById(recorded: RecordedRoles): Readonly<Partial<Record<RoleId, string>>> {
  const byId: Readonly<Partial<Record<RoleId, string | undefined>>> = {
    "backup-ec2": recorded.backup,
    "restore-ec2": recorded.restore,
    worker: recorded.worker,
    "worker-deployment": recorded.workerDeployment,
  };
  return Object.fromEntries(Object.entries(byId).filter(([, arn]) => arn !== undefined));
}

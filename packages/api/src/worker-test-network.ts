import type { Account } from "./schemas/accounts.ts";

export interface WorkerTestNetwork {
  readonly subnetId?: string;
  readonly securityGroupIds?: readonly string[];
}

/**
 * Where a test launches its worker: in the subnet that was asked for, else in the configured one. Settings of another Region,
 * or groups of another subnet's network, don't fit.
 */
export function workerTestNetwork(
  account: Pick<Account, "region" | "workerConfiguration">,
  request: { readonly region: string; readonly subnetId?: string | undefined },
): WorkerTestNetwork {
  const { subnetId: own, securityGroupIds } = account.workerConfiguration;
  const isHome = request.region === account.region;
  const subnetId = request.subnetId ?? (isHome ? own : undefined);
  const keepsGroups = isHome && securityGroupIds !== undefined && subnetId === own;
  return { ...(subnetId === undefined ? {} : { subnetId }), ...(keepsGroups ? { securityGroupIds } : {}) };
}

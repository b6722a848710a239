import type { ApiClient } from "@garrison/api/client";
import { workerTestNetwork } from "@garrison/api/worker-test-network";
import { openAwsClients } from "@garrison/aws/aws-clients";
import { readNetwork } from "@garrison/aws/network/read-network";
import { GarrisonError } from "@garrison/core/garrison-error";
import { judgeNetwork } from "@garrison/roles/network/judge-network";
import type { NetworkFinding } from "@garrison/roles/network/network-finding";
import type { CliContext } from "../cli-context.ts";

export interface NetworkFlags {
  readonly account: string;
  readonly region: string;
  readonly subnet?: string;
  readonly operatorProfile?: string;
}

/** Reads and judges the network with the operator's own rights: no role of Garrison's may read it. Empty when not asked for. */
export async function checkNetwork(
  api: ApiClient,
  flags: NetworkFlags,
  context: CliContext,
): Promise<readonly NetworkFinding[]> {
  const { account: accountId, region, operatorProfile: profile } = flags;
  if (profile === undefined) return [];
  const account = await api.call("readAccount", { params: { accountId } }, context.signal);
  const { subnetId, ...groups } = workerTestNetwork(account, { region, subnetId: flags.subnet });
  if (subnetId === undefined) {
    throw new GarrisonError("usage", "--operator-profile reads one subnet's network: name it with --subnet");
  }
  const { instanceType } = account.workerConfiguration;
  const clients = openAwsClients({ region, profile });
  try {
    const question = { region, subnetId, instanceType, ...groups };
    return judgeNetwork(await readNetwork(clients, question, { signal: context.signal }));
  } finally {
    clients.close();
  }
}

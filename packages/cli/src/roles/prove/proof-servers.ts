import { terminateInstance } from "@garrison/aws/ec2/instance-state";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { ProofBench } from "./proof-bench.ts";
import { proofNames } from "./proof-names.ts";
import type { ProofScenario } from "./proof-scenarios.ts";

export interface ProofServer {
  readonly instanceId: string;
  readonly arn: string;
  /** Its newest restore point. */
  readonly point?: string;
}

/** The servers of a bench: one of each kind, made when it is needed and kept as long as it is still of that kind. */
export interface ProofServers {
  of(kind: ProofScenario["server"], signal: AbortSignal): Promise<ProofServer>;
  /** The server has a restore point now. */
  backedUp(server: ProofServer, point: string): void;
  /** Ends every instance that is none of the servers: restored ones, and workers that a run could not remove. */
  removeOthers(signal: AbortSignal): Promise<void>;
}

interface LabInstances {
  readonly instances: readonly { readonly id: string; readonly accountId: string }[];
}

const afterBackup: Readonly<Record<ProofScenario["server"], ProofScenario["server"]>> = {
  new: "backed-up",
  "backed-up": "backed-up",
  encrypted: "encrypted-backed-up",
  "encrypted-backed-up": "encrypted-backed-up",
};

export function openProofServers(bench: ProofBench): ProofServers {
  const kept = new Map<ProofScenario["server"], ProofServer>();
  let made = 0;
  const make = async (kind: ProofScenario["server"], signal: AbortSignal): Promise<ProofServer> => {
    made += 1;
    const key = kind.startsWith("encrypted") ? { kmsKeyArn: bench.volumeKeyArn } : {};
    const volumes = [{ deviceName: "/dev/xvda", imageFile: bench.diskFile, ...key }];
    const body = { accountId: proofNames.productionAccount, name: `server-${made}`, volumes };
    const seeded = await bench.door.write({ method: "POST", path: "seed/instance", body }, signal);
    const { instanceId } = seeded as { readonly instanceId: string };
    const { region, productionAccount } = proofNames;
    const server = { instanceId, arn: `arn:aws:ec2:${region}:${productionAccount}:instance/${instanceId}` };
    kept.set(kind, server);
    return server;
  };
  return {
    of: async (kind, signal) => kept.get(kind) ?? make(kind, signal),
    backedUp(server, point) {
      const found = kept.entries().find(([, one]) => one.instanceId === server.instanceId);
      if (found === undefined) return;
      const [kind] = found;
      kept.delete(kind);
      const target = afterBackup[kind];
      // One of each kind is enough; a backup of what did not change would read nothing.
      if (!kept.has(target)) kept.set(target, { ...server, point });
    },
    async removeOthers(signal) {
      const { instances } = (await bench.door.read("ec2/resources", signal)) as LabInstances;
      const own = new Set([...kept.values()].map(({ instanceId }) => instanceId));
      for (const { id, accountId } of instances.filter((one) => !own.has(one.id))) {
        const account = accountId === proofNames.backupAccount ? "backup" : "production";
        await terminateInstance(bench.operator[account], id, { signal });
      }
    },
  };
}

export function requirePoint(server: ProofServer): string {
  if (server.point !== undefined) return server.point;
  throw new GarrisonError("internal", `${server.instanceId} has no restore point yet`);
}

import { roleOf, type AssumableRole } from "../access/aws-access.ts";
import type { ChainQuestion } from "./check-run-chain.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import { findWorkerPlace } from "./worker-place.ts";

/** One role of a chain and as whom it can be read. */
export interface ReadableRole {
  readonly roleArn: string;
  /** Whether it has to be in an instance profile. */
  readonly hasProfile: boolean;
  /** The role itself, then those who may read it too. */
  readonly readers: readonly AssumableRole[];
}

/** The roles that a run of this operation uses: launching, deployment, worker, repository. */
export async function chainRoles(
  dependencies: Pick<RunDependencies, "queries">,
  question: ChainQuestion,
): Promise<readonly ReadableRole[]> {
  const { account, operation, placement, repository } = question;
  const purpose = operation === "ec2.image-backup" ? "backup" : "restore";
  const place = await findWorkerPlace(dependencies, { account, placement, role: purpose });
  const launching = roleOf(account, purpose);
  const launcher = roleOf(place.account, place.role);
  const worker = roleOf(place.account, "worker");
  const alone = (role: AssumableRole): ReadableRole => ({
    roleArn: role.roleArn,
    hasProfile: false,
    readers: [role],
  });
  const ofRepository =
    repository?.roleArn === undefined
      ? []
      : [
          alone({
            roleArn: repository.roleArn,
            externalId: repository.externalId,
            region: account.region,
          }),
        ];
  return [
    alone(launching),
    ...(launcher.roleArn === launching.roleArn ? [] : [alone(launcher)]),
    { roleArn: worker.roleArn, hasProfile: true, readers: [worker, launcher] },
    ...ofRepository,
  ];
}

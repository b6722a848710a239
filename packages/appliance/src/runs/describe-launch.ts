import type { WorkerLaunch } from "@garrison/aws/ec2/launch-worker-instance";
import type { Tags } from "@garrison/aws/ec2/tags";
import { readImageParameter } from "@garrison/aws/ssm/read-image-parameter";
import type { RunDependencies } from "./run-dependencies.ts";
import type { WorkerPlace } from "./worker-place.ts";
import { workerClients } from "./worker-ref.ts";

const imageParameters: Readonly<Record<string, string>> = {
  x86_64: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
  arm64: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
};

/** What the owner's configuration says of a launch: the same for the launch and for the question whether it is permitted. */
export function describeLaunch(
  { account, workerRoleArn }: WorkerPlace,
  imageId: string,
): Omit<WorkerLaunch, "token" | "tags"> {
  const { instanceType, subnetId, securityGroupIds } = account.workerConfiguration;
  return {
    imageId,
    instanceType,
    instanceProfileName: workerRoleArn.split("/").at(-1) ?? "",
    ...(subnetId === undefined ? {} : { subnetId }),
    ...(securityGroupIds === undefined ? {} : { securityGroupIds }),
  };
}

export interface LaunchNames {
  readonly installation: string;
  readonly runId: string;
  readonly workerId: string;
  readonly expires: string;
}

export function describeTags({ placement }: WorkerPlace, names: LaunchNames): Tags {
  return {
    Name: `garrison worker ${names.workerId}`,
    "garrison:installation": names.installation,
    "garrison:worker": names.workerId,
    "garrison:run": names.runId,
    "garrison:expires": names.expires,
    "garrison:placement": placement,
  };
}

export async function chooseImage(
  dependencies: RunDependencies,
  place: WorkerPlace,
  call: { readonly signal: AbortSignal },
): Promise<string> {
  const configuration = place.account.workerConfiguration;
  if (configuration.imageId !== undefined) return configuration.imageId;
  return readImageParameter(workerClients(dependencies, place), imageParameter(configuration), call);
}

/** Graviton families have a `g` after their generation: t4g, m7gd. */
function imageParameter(configuration: { readonly instanceType: string }): string {
  const family = configuration.instanceType.split(".")[0] ?? "";
  return imageParameters[/^[a-z]+\d+g/.test(family) ? "arm64" : "x86_64"]!;
}

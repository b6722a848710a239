import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import type { BlockPace } from "@garrison/aws/ebs/block-pace";
import { parseS3Address } from "@garrison/aws/s3-address";
import { openS3ObjectStore } from "@garrison/aws/s3-object-store";
import type { RepositoryAccess } from "@garrison/channel/messages";
import type { Clock } from "@garrison/core/clock";
import type { Logger } from "@garrison/core/logger";
import type { Random } from "@garrison/core/random";
import { joinEpochs } from "@garrison/repository/keys/epochs";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import type { ObjectStore } from "@garrison/repository/store/object-store";
import { openRetryingObjectStore } from "@garrison/repository/store/retrying-object-store";
import type { TaskContext } from "./task-context.ts";

/** What every task draws on. */
export interface TaskDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Shared by all tasks of this worker. */
  readonly blockPace: BlockPace;
}

/** Where a task's data comes from and goes to. */
export interface TaskPlaces extends Disposable {
  readonly store: ObjectStore;
  /** Clients with the rights lent for the data (EBS direct). */
  readonly data: AwsClients;
}

export interface TaskResources extends TaskPlaces {
  readonly keys: DomainKeys;
}

/** Opens what a task works with, all of it under lent credentials only. */
export function openTaskResources(
  dependencies: TaskDependencies,
  task: { readonly region: string; readonly repository: RepositoryAccess },
  context: TaskContext,
): TaskResources {
  const keys = domainKeysOf(task.repository);
  return { ...openTaskPlaces(dependencies, task, context), keys };
}

/** The same without the repository's keys: objects can be reached, not understood. */
export function openTaskPlaces(
  { clock, random }: TaskDependencies,
  task: { readonly region: string; readonly repository: { readonly url: string } },
  { credentials }: TaskContext,
): TaskPlaces {
  const address = parseS3Address(task.repository.url);
  const data = openAwsClients({ region: task.region, credentials: credentials.source("data") });
  const repository = openAwsClients({
    region: address.region ?? task.region,
    endpoint: address.endpoint,
    credentials: credentials.source("repository"),
  });
  const store = openS3ObjectStore({ clients: repository, bucket: address.bucket, prefix: address.prefix });
  return {
    data,
    store: openRetryingObjectStore({ clock, random }, store),
    [Symbol.dispose]: () => {
      data.close();
      repository.close();
    },
  };
}

function domainKeysOf(access: RepositoryAccess): DomainKeys {
  const { repositoryId, domain } = access;
  const epochs = access.epochs.map(({ epoch, mapKey, pointKey, controlPublicKey }) => ({
    epoch,
    mapKey: fromBase64(mapKey),
    pointKey: fromBase64(pointKey),
    controlPublicKey: fromBase64(controlPublicKey),
  }));
  return joinEpochs({ repositoryId, domain, idKey: fromBase64(access.idKey) }, epochs);
}

export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}

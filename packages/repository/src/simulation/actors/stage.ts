import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import { openRepository, type Repository } from "../../keys/open-repository.ts";
import type { DomainKeys } from "../../keys/keys.ts";
import { openRetryingObjectStore } from "../../store/retrying-object-store.ts";
import type { OpenBlockCrew } from "../../blocks/block-crew.ts";
import type { EngineLimits } from "../../backup/engine-limits.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import type { Mistake } from "../mistakes/mistake.ts";
import type { FirstKeys } from "../model/model-keyring.ts";
import type { RepositoryModel } from "../model/repository-model.ts";
import type { ContentIds } from "../world/content-ids.ts";
import type { ContentPool } from "../world/content-pool.ts";
import type { HistorySettings } from "../world/history-settings.ts";
import { openScheduledStore } from "../world/scheduled-store.ts";
import type { Scheduler } from "../world/scheduler.ts";
import type { SimulatedProcess } from "../world/simulated-process.ts";

/** What is the same in every history, and costs time to make. */
export interface EngineProps {
  /** A repository of one epoch, and the secret that opens it. */
  readonly first: FirstKeys;
  readonly secret: { readonly masterSecret: Uint8Array };
  /** Its header and wrap. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
  readonly domain: string;
  readonly contents: ContentPool;
  readonly contentIds: ContentIds;
  readonly openCrew: OpenBlockCrew;
}

/** What the actors of one history share. */
export interface Stage extends EngineProps {
  readonly scheduler: Scheduler;
  readonly model: RepositoryModel;
  readonly settings: HistorySettings;
  readonly limits: EngineLimits;
  readonly logger: Logger;
  readonly mistake: Mistake | undefined;
}

/** A process of the product with the store and the keys that it works with until it ends. */
export interface Equipment {
  readonly process: SimulatedProcess;
  /** Every call is tried again by the product's own policy. */
  readonly store: ObjectStore;
  readonly repository: Repository;
  readonly keys: DomainKeys;
}

/** Opens the repository as a process does that starts: with the keys of that moment, which a rotation may make old. */
export async function equip(stage: Stage, process: SimulatedProcess): Promise<Equipment> {
  const store = openStore(stage, process);
  if (!stage.settings.withRotations) {
    const { repository, keys } = stage.first;
    return { process, store, repository, keys };
  }
  const repository = await openRepository({ store }, stage.secret, process);
  return { process, store, repository, keys: repository.domainKeys(stage.domain) };
}

export function openStore(stage: Stage, process: SimulatedProcess): ObjectStore {
  const { scheduler, mistake } = stage;
  const store = openRetryingObjectStore(process, openScheduledStore(scheduler, process));
  return mistake?.openStore?.(store, { stage, process }) ?? store;
}

/** Whether an error may be due to a rotation since the process has started: what is sealed since then, it can't open. */
export function isOutdated(stage: Stage, equipment: Equipment, error: unknown): boolean {
  return isGarrisonError(error, "keys-outdated") && hasOldKeys(stage, equipment);
}

export function hasOldKeys(stage: Stage, { repository }: Equipment): boolean {
  return repository.epoch < stage.model.keyring.repository.epoch;
}

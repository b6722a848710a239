import type { Clock } from "@garrison/core/clock";
import type { Logger } from "@garrison/core/logger";
import type { Random } from "@garrison/core/random";
import { join } from "node:path";
import { addCoreRoutes } from "./admin/core-routes.ts";
import { openParsedPolicies } from "./authorization/parsed-policies.ts";
import { openUsedRights } from "./authorization/used-rights.ts";
import { openWithheldRights } from "./authorization/withheld-rights.ts";
import { openIdentityViews } from "./identity/identity-tables.ts";
import { openOrganizationTables } from "./identity/organization-tables.ts";
import type { Lab, LabSettings } from "./lab.ts";
import { lockDataDir } from "./state/lock-data-dir.ts";
import { openState } from "./state/open-state.ts";
import { BlockBuffers } from "./wire/block-buffers.ts";
import { openCallLog } from "./wire/call-log.ts";
import { openFaults } from "./wire/faults.ts";

export interface LabParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: LabSettings;
  endpoint(): string;
}

export interface OpenedLab {
  readonly lab: Lab;
  /** Runs what `onStop` collected, then closes the state. */
  close(): Promise<void>;
}

/** Everything but the network and the services' own start. */
export function openLab({ clock, random, logger, settings, endpoint }: LabParts): OpenedLab {
  const closers: (() => Promise<void> | void)[] = [];
  const stopping = new AbortController();
  const unlock = lockDataDir(settings.dataDir);
  const state = openState(join(settings.dataDir, "state.jsonl"));
  const identity = openIdentityViews(state, {
    clock,
    delayMs: settings.iamDelayMs,
    isDelaying: () => endpoint() !== "",
  });
  const lab: Lab = {
    clock,
    random,
    logger,
    settings,
    state,
    identity: identity.current,
    effectiveIdentity: identity.delayed,
    organization: openOrganizationTables(state),
    parsed: openParsedPolicies(),
    faults: openFaults(),
    calls: openCallLog(),
    usedRights: openUsedRights(),
    withheld: openWithheldRights(),
    buffers: new BlockBuffers(),
    endpoint,
    machines: notYet("machines"),
    ec2: notYet("ec2"),
    adminRoutes: new Map(),
    onStop: (close) => void closers.push(close),
    stopping: stopping.signal,
  };
  addCoreRoutes(lab);
  return {
    lab,
    async close() {
      stopping.abort();
      for (const close of closers.reverse()) await close();
      state.close();
      unlock();
    },
  };
}

/** A part that start-lab opens after the rest; using it before is a defect and says so. */
function notYet<Part extends object>(name: string): Part {
  return new Proxy({} as Part, {
    get() {
      throw new TypeError(`lab.${name} is not open yet`);
    },
  });
}

import type { Clock } from "@garrison/core/clock";
import type { Logger } from "@garrison/core/logger";
import type { Random } from "@garrison/core/random";
import type { IncomingMessage } from "node:http";
import type { ParsedPolicies } from "./authorization/parsed-policies.ts";
import type { UsedRights } from "./authorization/used-rights.ts";
import type { WithheldRights } from "./authorization/withheld-rights.ts";
import type { IdentityTables } from "./identity/identity-tables.ts";
import type { OrganizationTables } from "./identity/organization-tables.ts";
import type { MachineHost } from "./instances/machine-host.ts";
import type { Ec2Runtime } from "./services/ec2/ec2-runtime.ts";
import type { LabState } from "./state/lab-state.ts";
import type { BlockBuffers } from "./wire/block-buffers.ts";
import type { CallLog } from "./wire/call-log.ts";
import type { Faults } from "./wire/faults.ts";

export interface LabSettings {
  /** Where resources are made when nothing says otherwise (seeds). Calls name their own Region by their signature. */
  readonly region: string;
  readonly partition: string;
  /** Everything the lab keeps is below this folder. */
  readonly dataDir: string;
  /** Milliseconds after which an IAM change takes effect; 0 is at once. */
  readonly iamDelayMs: number;
  /** Milliseconds after which a call is in its account's event history. */
  readonly trailDelayMs: number;
}

/** A request under `/_lab/`: not AWS, unsigned, for tests and the demo. `rest` is the path after the route's prefix. */
export interface AdminRequest {
  readonly method: string;
  readonly rest: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly message: IncomingMessage;
}

/** Its result is sent as JSON. */
export type AdminRoute = (request: AdminRequest) => Promise<unknown> | unknown;

/** What every service of the lab shares. */
export interface Lab {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: LabSettings;
  readonly state: LabState;
  readonly identity: IdentityTables;
  /** Identity as the other services see it: IAM changes arrive `iamDelayMs` later. Authorisation reads this one. */
  readonly effectiveIdentity: IdentityTables;
  readonly organization: OrganizationTables;
  readonly parsed: ParsedPolicies;
  readonly faults: Faults;
  readonly calls: CallLog;
  readonly usedRights: UsedRights;
  readonly withheld: WithheldRights;
  readonly buffers: BlockBuffers;
  /** `http://127.0.0.1:<port>`; known once the lab listens. */
  endpoint(): string;
  /** Boots instances; opened by start-lab after the rest. */
  machines: MachineHost;
  /** Disks, limits and delays of EC2 and EBS; opened by start-lab (`openEc2`) once machines are there. */
  ec2: Ec2Runtime;
  /** Prefix after `/_lab/` (`seed/instance`) -> what answers. The longest matching prefix wins. */
  readonly adminRoutes: Map<string, AdminRoute>;
  /** Run when the lab stops, last registered first. */
  onStop(close: () => Promise<void> | void): void;
  /** Fires when the lab begins to stop. */
  readonly stopping: AbortSignal;
}

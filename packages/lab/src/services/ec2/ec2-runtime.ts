import type { KeyObject } from "node:crypto";
import type { TokenBucket } from "@garrison/core/token-bucket";
import type { Disks } from "../../disks/disks.ts";
import type { Ec2Settings, RateLimit } from "./ec2-settings.ts";
import type { Ec2Tables } from "./ec2-tables.ts";

/** What EC2 and EBS have besides the lab's journaled state. */
export interface Ec2Runtime {
  readonly settings: Ec2Settings;
  readonly disks: Disks;
  readonly tables: Ec2Tables;
  /** The bucket of that name, made with these limits on first use. */
  bucket(name: string, limit: RateLimit): TokenBucket;
  /** Runs `change` after the delay unless the lab stops first. Failures are logged. */
  later(delayMs: number, change: () => Promise<void> | void): void;
  /** Key of the tokens that the direct APIs hand out. */
  readonly tokenKey: KeyObject;
}

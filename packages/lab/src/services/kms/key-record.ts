import type { KmsGrant } from "@garrison/iam/evaluation-case";
import type { Collection } from "../../state/collection.ts";
import type { LabState } from "../../state/lab-state.ts";

export interface KeyRecord {
  readonly keyId: string;
  readonly accountId: string;
  readonly region: string;
  readonly arn: string;
  /** 32 bytes, base64. It's a lab: the journal holds it in the clear. */
  readonly material: string;
  readonly description: string;
  /** Document with principals by unique id. */
  readonly policy: string;
  readonly createdAtMs: number;
  readonly state: "Enabled" | "Disabled" | "PendingDeletion";
  readonly deletionAtMs?: number;
  readonly manager: "CUSTOMER" | "AWS";
  readonly tags: Readonly<Record<string, string>>;
}

export interface AliasRecord {
  /** `alias/name`. */
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  readonly keyId: string;
  readonly createdAtMs: number;
}

export interface GrantRecord extends KmsGrant {
  readonly grantId: string;
  readonly keyArn: string;
  readonly name?: string;
  readonly issuingAccount: string;
  readonly createdAtMs: number;
}

export interface KeyTables {
  /** By key ARN. */
  readonly keys: Collection<KeyRecord>;
  /** By alias ARN. */
  readonly aliases: Collection<AliasRecord>;
  /** By grant id. */
  readonly grants: Collection<GrantRecord>;
}

export function keyTables(state: LabState): KeyTables {
  return {
    keys: state.collection("kms-keys"),
    aliases: state.collection("kms-aliases"),
    grants: state.collection("kms-grants"),
  };
}

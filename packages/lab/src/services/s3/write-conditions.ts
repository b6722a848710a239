import { AwsError } from "../../wire/aws-error.ts";
import type { BucketCall } from "./s3-access.ts";
import type { ObjectVersion } from "./object-record.ts";
import { addVersion, currentVersion } from "./object-versions.ts";
import { conditionalConflict, noSuchKey, preconditionFailed } from "./s3-error.ts";
import type { WriteTicket } from "./s3-store.ts";

export interface WriteConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
}

/**
 * A conditional write is tested twice: at once, so that a body isn't sent for nothing, and at the end, where the first
 * writer to finish has won. In between, a delete (or, for If-Match, any other change) is a conflict to be retried.
 */
export interface ConditionalWrite {
  /** Puts the version in place if the condition (still) holds. Nothing is changed when it throws. */
  commit(version: ObjectVersion): Promise<void>;
  /** Must be called when the write ends either way. */
  close(): void;
}

export function openConditionalWrite(
  at: BucketCall,
  key: string,
  conditions: WriteConditions,
): ConditionalWrite {
  const { store, bucket } = at;
  if (conditions.IfNoneMatch !== undefined && conditions.IfNoneMatch !== "*") {
    throw new AwsError(
      "NotImplemented",
      "A header you provided implies functionality that is not implemented",
      {
        status: 501,
        members: { Header: "If-None-Match" },
      },
    );
  }
  checkConditions(at, key, conditions);
  const ticket = store.openTicket(bucket.name, key);
  const seen = currentVersion(store.find(bucket.name, key))?.etag;
  return {
    async commit(version) {
      checkAtEnd(at, key, { conditions, ticket, seen });
      await store.apply(bucket.name, key, addVersion(store.find(bucket.name, key), version));
    },
    close: () => ticket.close(),
  };
}

interface EndOfWrite {
  readonly conditions: WriteConditions;
  readonly ticket: WriteTicket;
  /** The ETag that was current when the write began. */
  readonly seen: string | undefined;
}

function checkAtEnd(at: BucketCall, key: string, { conditions, ticket, seen }: EndOfWrite): void {
  if (conditions.IfNoneMatch === undefined && conditions.IfMatch === undefined) return;
  const current = currentVersion(at.store.find(at.bucket.name, key));
  if (conditions.IfMatch !== undefined && current?.etag !== seen) throw conditionalConflict(key);
  checkConditions(at, key, conditions);
  if (ticket.disturbed) throw conditionalConflict(key);
}

function checkConditions(
  { store, bucket }: BucketCall,
  key: string,
  { IfMatch, IfNoneMatch }: WriteConditions,
): void {
  const current = currentVersion(store.find(bucket.name, key));
  if (IfNoneMatch !== undefined && current !== undefined) throw preconditionFailed("If-None-Match");
  if (IfMatch === undefined) return;
  if (current === undefined) throw noSuchKey(key);
  if (!matchesEtag(IfMatch, current.etag)) throw preconditionFailed("If-Match");
}

/** Whether a header's list of entity tags (or `*`) has this one. Quotes are optional, as S3 takes them. */
export function matchesEtag(header: string, etag: string): boolean {
  const bare = (text: string) => text.trim().replace(/^W\//, "").replace(/^"|"$/g, "");
  return header.split(",").some((candidate) => candidate.trim() === "*" || bare(candidate) === bare(etag));
}

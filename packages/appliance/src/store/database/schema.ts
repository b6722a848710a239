import type { AccountRoles, WorkerConfiguration } from "@garrison/api/schemas/accounts";
import type { Point } from "@garrison/api/schemas/points";
import type { Resource } from "@garrison/api/schemas/resources";
import type { RoleDrift } from "@garrison/api/schemas/role-drift";
import type { Run } from "@garrison/api/schemas/runs";
import type { PublicKeys } from "@garrison/channel/peer-identity";
import type { ObservedRole } from "@garrison/roles/drift/observed-role";
import { bigint, boolean, integer, jsonb, pgTable, primaryKey, text, timestamp } from "drizzle-orm/pg-core";

/** The tables as the queries see them. What the database enforces is in `migrations/`; both are written by hand. */

const time = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

export const settings = pgTable("setting", {
  name: text("name").primaryKey(),
  value: jsonb("value").notNull(),
});

export const accounts = pgTable("account", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  region: text("region").notNull(),
  roles: jsonb("roles").$type<AccountRoles>().notNull(),
  externalId: text("external_id"),
  workerConfiguration: jsonb("worker_configuration").$type<WorkerConfiguration>().notNull(),
  createdAt: time("created_at").notNull(),
});

export const repositories = pgTable("repository", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  url: text("url").notNull(),
  kind: text("kind").$type<"s3" | "folder">().notNull(),
  repositoryId: text("repository_id").notNull(),
  secret: text("secret").notNull(),
  roleArn: text("role_arn"),
  externalId: text("external_id"),
  stagingBucket: text("staging_bucket"),
  bucketKeyArn: text("bucket_key_arn"),
  createdAt: time("created_at").notNull(),
});

export const resources = pgTable("resource", {
  arn: text("arn").primaryKey(),
  accountId: text("account_id").notNull(),
  region: text("region").notNull(),
  name: text("name").notNull(),
  state: text("state").notNull(),
  instanceType: text("instance_type").notNull(),
  volumes: jsonb("volumes").$type<Resource["volumes"]>().notNull(),
  tags: jsonb("tags").$type<Resource["tags"]>().notNull(),
  seenAt: time("seen_at").notNull(),
});

export const runs = pgTable("run", {
  id: text("id").primaryKey(),
  kind: text("kind").$type<Run["kind"]>().notNull(),
  status: text("status").$type<Run["status"]>().notNull(),
  accountId: text("account_id").notNull(),
  resource: text("resource").notNull(),
  request: jsonb("request").$type<Readonly<Record<string, unknown>>>().notNull(),
  point: text("point"),
  createdAt: time("created_at").notNull(),
  startedAt: time("started_at"),
  endedAt: time("ended_at"),
  cancelRequestedAt: time("cancel_requested_at"),
  progress: jsonb("progress").$type<NonNullable<Run["progress"]>>(),
  result: jsonb("result").$type<Readonly<Record<string, unknown>>>(),
  failure: jsonb("failure").$type<NonNullable<Run["failure"]>>(),
  revision: integer("revision").notNull().default(1),
});

export const runSteps = pgTable(
  "run_step",
  {
    runId: text("run_id").notNull(),
    number: integer("number").notNull(),
    name: text("name").notNull(),
    status: text("status").$type<"running" | "done" | "failed">().notNull(),
    attempts: integer("attempts").notNull(),
    startedAt: time("started_at").notNull(),
    endedAt: time("ended_at"),
  },
  (table) => [primaryKey({ columns: [table.runId, table.number] })],
);

export const runLogs = pgTable("run_log", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  runId: text("run_id").notNull(),
  stepNumber: integer("step_number").notNull(),
  at: time("at").notNull(),
  message: text("message").notNull(),
  resource: text("resource"),
});

export const madeResources = pgTable("made_resource", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  runId: text("run_id").notNull(),
  kind: text("kind").$type<MadeKind>().notNull(),
  accountId: text("account_id").notNull(),
  region: text("region").notNull(),
  role: text("role").$type<LaunchingRole>().notNull(),
  token: text("token").notNull(),
  resourceId: text("resource_id"),
  intendedAt: time("intended_at").notNull(),
  madeAt: time("made_at"),
  keptAs: text("kept_as"),
  removedAt: time("removed_at"),
});

/** What a run can make in AWS and therefore has to remove. */
export type MadeKind = "snapshots" | "snapshot" | "worker" | "queue" | "image" | "instance" | "object";
/** As which of the account's roles it was made, and is removed. */
export type LaunchingRole = "backup" | "restore" | "workerDeployment";

export const points = pgTable("point", {
  id: text("id").primaryKey(),
  repositoryId: text("repository_id").notNull(),
  accountId: text("account_id").notNull(),
  resource: text("resource").notNull(),
  name: text("name").notNull(),
  runId: text("run_id").notNull(),
  parent: text("parent"),
  volumes: jsonb("volumes").$type<Point["volumes"]>().notNull(),
  createdAt: time("created_at").notNull(),
});

export const workers = pgTable("worker", {
  id: text("id").primaryKey(),
  runId: text("run_id").notNull(),
  accountId: text("account_id").notNull(),
  region: text("region").notNull(),
  placement: text("placement").$type<"production" | "backup">().notNull(),
  role: text("role").$type<LaunchingRole>().notNull(),
  status: text("status").$type<"preparing" | "ready" | "lost" | "removed">().notNull(),
  instanceId: text("instance_id"),
  queueInUrl: text("queue_in_url"),
  queueOutUrl: text("queue_out_url"),
  publicKeys: jsonb("public_keys").$type<PublicKeys>(),
  channel: text("channel"),
  channelRevision: integer("channel_revision").notNull().default(0),
  taskId: text("task_id"),
  createdAt: time("created_at").notNull(),
  lastHeardAt: time("last_heard_at"),
  endedAt: time("ended_at"),
});

/** Each role as the last check that found it good saw it. */
export const roleStates = pgTable("role_state", {
  roleArn: text("role_arn").primaryKey(),
  observed: jsonb("observed").$type<ObservedRole>().notNull(),
  goodAt: time("good_at").notNull(),
  checkedAt: time("checked_at").notNull(),
});

export const roleDrifts = pgTable("role_drift", {
  id: text("id").primaryKey(),
  roleArn: text("role_arn").notNull(),
  accountId: text("account_id").notNull(),
  /** Hash of the changes: the same drift, found again, is one row. */
  fingerprint: text("fingerprint").notNull(),
  since: time("since").notNull(),
  foundAt: time("found_at").notNull(),
  seenAt: time("seen_at").notNull(),
  isBroken: boolean("is_broken").notNull(),
  changes: jsonb("changes").$type<RoleDrift["changes"]>().notNull(),
  events: jsonb("events").$type<RoleDrift["events"]>().notNull(),
  eventsUnread: text("events_unread"),
});

export const idempotencyKeys = pgTable("idempotency_key", {
  key: text("key").primaryKey(),
  operation: text("operation").notNull(),
  requestHash: text("request_hash").notNull(),
  response: jsonb("response"),
  createdAt: time("created_at").notNull(),
});

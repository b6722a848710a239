create table setting (
  name text primary key,
  value jsonb not null
);

create table account (
  id text primary key,
  name text not null unique,
  region text not null,
  roles jsonb not null,
  external_id text,
  worker_configuration jsonb not null,
  created_at timestamptz not null
);

create table repository (
  id text primary key,
  name text not null unique,
  url text not null unique,
  kind text not null check (kind in ('s3', 'folder')),
  repository_id text not null,
  secret text not null,
  role_arn text,
  external_id text,
  staging_bucket text,
  bucket_key_arn text,
  created_at timestamptz not null
);

create table resource (
  arn text primary key,
  account_id text not null references account (id),
  region text not null,
  name text not null,
  state text not null,
  instance_type text not null,
  volumes jsonb not null,
  tags jsonb not null,
  seen_at timestamptz not null
);

create table run (
  id text primary key,
  kind text not null check (kind in ('backup', 'instance-restore')),
  status text not null check (status in ('queued', 'running', 'undoing', 'succeeded', 'failed', 'cancelled')),
  account_id text not null references account (id),
  resource text not null,
  request jsonb not null,
  point text,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  cancel_requested_at timestamptz,
  progress jsonb,
  result jsonb,
  failure jsonb,
  revision integer not null default 1
);

-- A second backup would delete the base that the first one reads.
create unique index run_one_backup_a_resource on run (resource)
  where kind = 'backup' and status in ('queued', 'running', 'undoing');
create index run_by_creation on run (created_at desc, id desc);

create table run_step (
  run_id text not null references run (id),
  number integer not null,
  name text not null,
  status text not null check (status in ('running', 'done', 'failed')),
  attempts integer not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  primary key (run_id, number)
);

create table run_log (
  id bigint generated always as identity primary key,
  run_id text not null,
  step_number integer not null,
  at timestamptz not null,
  message text not null,
  resource text,
  foreign key (run_id, step_number) references run_step (run_id, number)
);
create index run_log_by_step on run_log (run_id, step_number, id);

-- Written before the call that makes the resource (resource_id is null then) and completed after it.
create table made_resource (
  id bigint generated always as identity primary key,
  run_id text not null references run (id),
  kind text not null,
  account_id text not null,
  region text not null,
  role text not null,
  token text not null,
  resource_id text,
  intended_at timestamptz not null,
  made_at timestamptz,
  kept_as text,
  removed_at timestamptz,
  unique (run_id, kind, token)
);
create index made_resource_left on made_resource (run_id) where removed_at is null;

create table point (
  id text primary key,
  repository_id text not null references repository (id),
  account_id text not null,
  resource text not null,
  name text not null,
  run_id text not null references run (id),
  parent text,
  volumes jsonb not null,
  created_at timestamptz not null
);
create index point_by_resource on point (resource, created_at desc);

create table worker (
  id text primary key,
  run_id text not null references run (id),
  account_id text not null,
  region text not null,
  placement text not null,
  role text not null,
  status text not null check (status in ('preparing', 'ready', 'lost', 'removed')),
  instance_id text,
  queue_in_url text,
  queue_out_url text,
  public_keys jsonb,
  channel text,
  channel_revision integer not null default 0,
  task_id text,
  created_at timestamptz not null,
  last_heard_at timestamptz,
  ended_at timestamptz
);
create index worker_by_run on worker (run_id);

create table idempotency_key (
  key text primary key,
  operation text not null,
  request_hash text not null,
  response jsonb,
  created_at timestamptz not null
);

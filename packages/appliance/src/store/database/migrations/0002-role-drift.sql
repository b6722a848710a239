-- Roles as the last good check saw them, and what was changed in them since.

create table role_state (
  role_arn text primary key,
  observed jsonb not null,
  good_at timestamptz not null,
  checked_at timestamptz not null
);

create table role_drift (
  id text primary key,
  role_arn text not null,
  account_id text not null,
  fingerprint text not null,
  since timestamptz not null,
  found_at timestamptz not null,
  seen_at timestamptz not null,
  is_broken boolean not null,
  changes jsonb not null,
  events jsonb not null,
  events_unread text,
  unique (role_arn, since, fingerprint)
);
create index role_drift_by_role on role_drift (role_arn, id desc);

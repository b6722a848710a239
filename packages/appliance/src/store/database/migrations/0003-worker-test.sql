-- A worker test is a run: it can be followed, stopped and swept up after as the others.
alter table run drop constraint run_kind_check;
alter table run add constraint run_kind_check check (kind in ('backup', 'instance-restore', 'worker-test'));

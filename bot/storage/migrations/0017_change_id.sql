-- A repeated write recognizes itself by the id of the change. Old durations are deleted where new ones are added.

alter table jobs add column change_id bigint;

drop trigger durations_kept;

-- When each price was learned, so that it can expire; older ones count from now on.

alter table prices add column learned_at bigint not null default 0;
update prices set learned_at = cast(strftime('%s', 'now') as integer) * 1000;

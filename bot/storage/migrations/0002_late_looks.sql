-- What was given back and may still be had at RunComfy is looked for again.

alter table jobs add column look_at bigint;              -- null: not again
alter table jobs add column looks integer not null default 0;  -- how often that was done

create index jobs_due on jobs (look_at) where look_at is not null;

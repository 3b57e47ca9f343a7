-- What each process uses of the limits that all of them share; the others read it with their heartbeats.

alter table processes add column wanted_jobs bigint not null default 0;       -- that it would run at once
alter table processes add column invalid_requests bigint not null default 0;  -- to Discord, in ten minutes

-- 0: RunComfy has finished the job, so that it no longer counts towards MAX_JOBS while it is delivered.
alter table jobs add column takes_place bigint not null default 1;

-- What each process uses of the limits that all of them share; the others read it with their heartbeats.

alter table processes add column wanted_jobs integer not null default 0;        -- that it would run at once
alter table processes add column invalid_requests integer not null default 0;   -- to Discord, in ten minutes

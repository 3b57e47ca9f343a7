-- For PostgreSQL alone, since a SQLite file has one process. Times are the database's, in milliseconds.

-- name: keep_alive!
update processes
set alive_until = cast(extract(epoch from clock_timestamp()) * 1000 as bigint) + cast(:lease_ms as bigint),
    wanted_jobs = :wanted_jobs, invalid_requests = :invalid_requests
where process_id = :process_id
    and alive_until >= cast(extract(epoch from clock_timestamp()) * 1000 as bigint);

-- name: come_alive!
insert into processes (process_id, alive_until, wanted_jobs, invalid_requests)
values (
    :process_id, cast(extract(epoch from clock_timestamp()) * 1000 as bigint) + cast(:lease_ms as bigint),
    :wanted_jobs, :invalid_requests
)
on conflict (process_id) do update set alive_until = excluded.alive_until,
    wanted_jobs = excluded.wanted_jobs, invalid_requests = excluded.invalid_requests;

-- name: living
-- In the same order for all of them, which rotates every ten seconds.
select process_id, wanted_jobs, invalid_requests from processes
where alive_until >= cast(extract(epoch from clock_timestamp()) * 1000 as bigint)
order by (row_number() over (order by process_id) + cast(extract(epoch from now()) as bigint) / 10) % count(*) over ();

-- name: running_elsewhere
-- Jobs at RunComfy, as `mark_submitting_within_limits` counts them, except those that have a turn here.
select job_id, user_id, guild_id from jobs
where takes_place = 1 and status in ('submitting', 'in_queue', 'in_progress')
    and job_id <> all(cast(:here as text[]));

-- name: renew_duties!
update duties
set until = cast(extract(epoch from clock_timestamp()) * 1000 as bigint) + cast(:lease_ms as bigint)
where process_id = :process_id;

-- name: add_missing!
-- Processes without a row, such as one that reserved a job while it stopped; without these rows no one would see that
-- they are dead. One that is about to begin waits for the end of the transaction.
insert into processes (process_id, alive_until)
select distinct process_id, 0 from jobs
where process_id <> '' and (token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress'))
    and not exists (select 1 from processes where processes.process_id = jobs.process_id)
order by process_id
on conflict (process_id) do nothing;

-- name: lock_dead
-- A process that wakes up now can't renew its lease before the end of the transaction.
select process_id from processes
where alive_until < cast(extract(epoch from clock_timestamp()) * 1000 as bigint)
for update skip locked;

-- name: take_over
-- The condition is on the locked row itself: PostgreSQL checks that again after a wait, but a joined row only as it
-- was before, and so would give a job to two processes.
with picked as materialized (
    select job_id from jobs
    where process_id = any(cast(:from_processes as text[]))
        and (token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress'))
    order by created_at limit :most for update skip locked
)
update jobs set process_id = :process_id from picked where jobs.job_id = picked.job_id
returning jobs.*;

-- name: own
select * from jobs
where process_id = :process_id
    and (token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress'))
order by created_at;

-- name: to_cancel
select * from jobs
where process_id = :process_id and cancelled_by is not null and status in ('waiting', 'submitting', 'in_queue');

-- name: notify^
-- To one process, or to all if it is empty; sent with the commit.
select pg_notify('imagine_bot', :process_id);

-- name: forget!
-- Processes that have been dead for a day and left no job. One that was frozen could still add one before.
delete from processes
where alive_until < cast(extract(epoch from clock_timestamp()) * 1000 as bigint) - 86400000
    and not exists (
        select 1 from jobs where jobs.process_id = processes.process_id
            and (token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress'))
    );

-- name: hand_over!
update jobs set process_id = ''
where process_id = :process_id
    and (token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress'));

-- name: end!
delete from processes where process_id = :process_id;

-- name: end_duties!
delete from duties where process_id = :process_id;

-- name: claim_turn!
-- It belongs to a turn and not to a process, so that no heartbeat prolongs it. A time further away was set before the
-- clock was set back.
insert into duties (name, process_id, until)
values (:name, :turn_id, cast(extract(epoch from clock_timestamp()) * 1000 as bigint) + cast(:ms as bigint))
on conflict (name) do update set process_id = excluded.process_id, until = excluded.until
where duties.until not between cast(extract(epoch from clock_timestamp()) * 1000 as bigint)
    and cast(extract(epoch from clock_timestamp()) * 1000 as bigint) + cast(:ms as bigint);

-- name: end_turn!
-- Unless the next one has begun.
update duties
set until = cast(extract(epoch from clock_timestamp()) * 1000 as bigint) + cast(:ms as bigint)
where name = :name and process_id = :turn_id;

-- name: claim_duty!
insert into duties (name, process_id, until)
values (
    :name, :process_id, cast(extract(epoch from clock_timestamp()) * 1000 as bigint) + cast(:lease_ms as bigint)
)
on conflict (name) do update set process_id = excluded.process_id, until = excluded.until
where duties.process_id = excluded.process_id
    or duties.until < cast(extract(epoch from clock_timestamp()) * 1000 as bigint);

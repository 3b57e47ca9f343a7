-- name: get^
select * from jobs where job_id = :job_id;

-- name: get_locked^
-- Like `get`, but no one else can change the job until the end of the unit; SQLite has no `for update`.
update jobs set status = status where job_id = :job_id returning *;

-- name: changed^
-- A job as a change left it; null if it was not made, or another one came after it.
select * from jobs where job_id = :job_id and process_id = :process_id and change_id = :change_id;

-- name: unfinished
select * from jobs
where token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress')
order by created_at;

-- name: unfinished_for_member
-- A member's running jobs, and those whose images can be collected.
select * from jobs
where guild_id = :guild_id and user_id = :user_id and deleted_at is null
    and (
        status in ('waiting', 'submitting', 'in_queue', 'in_progress')
        or request_id is not null and error in (
            'generation-timeout', 'output-unavailable', 'delivery-failed', 'operator', 'unexpected'
        )
    )
order by created_at desc
limit :most;

-- name: set_message^
update jobs set message_id = :message_id where job_id = :job_id
returning *;

-- name: set_input_files^
update jobs set input_files = :input_files
where job_id = :job_id and process_id = :process_id and status = 'waiting'
returning *;

-- name: mark_submitting^
-- While spending is paused, it stays waiting.
update jobs set change_id = :change_id,
    status = case when exists (select 1 from facts where name = 'paused') then 'waiting' else 'submitting' end
where job_id = :job_id and process_id = :process_id and status = 'waiting' and cancelled_by is null
returning *;

-- name: mark_submitting_within_limits^
-- For PostgreSQL alone, in one transaction at a time. The job also stays waiting if the jobs of all processes at
-- RunComfy have reached a limit.
update jobs set change_id = :change_id,
    status = case when exists (select 1 from facts where name = 'paused') or (
        select count(*) >= cast(:total as bigint)
            or count(*) filter (where there.user_id = jobs.user_id) >= cast(:per_user as bigint)
            or count(*) filter (where there.guild_id = jobs.guild_id) >= cast(:per_guild as bigint)
        from jobs as there
        where there.takes_place = 1 and there.status in ('submitting', 'in_queue', 'in_progress')
    ) then 'waiting' else 'submitting' end
where job_id = :job_id and process_id = :process_id and status = 'waiting' and cancelled_by is null
returning *;

-- name: mark_rejected^
update jobs set status = 'waiting', change_id = :change_id
where job_id = :job_id and process_id = :process_id and status = 'submitting' and request_id is null
returning *;

-- name: mark_submitted^
update jobs set status = 'in_queue', request_id = :request_id, change_id = :change_id
where job_id = :job_id and process_id = :process_id and status = 'submitting'
returning *;

-- name: record_late_request^
-- For a process that was frozen during the POST: its successor has refunded the job, as it could not know. Its images
-- are looked for at once, unless it was deleted, and its cost is asked for.
update jobs set
    request_id = :request_id, change_id = :change_id, next_cost_check_at = :now,
    error = case when deleted_at is null then 'generation-timeout' else error end,
    next_check_at = case when deleted_at is null then cast(:now as bigint) end
where job_id = :job_id and status = 'failed' and error = 'submission-unknown' and request_id is null
returning *;

-- name: record_early_request^
-- The same, but the successor is only about to end the job.
update jobs set request_id = :request_id
where job_id = :job_id and status = 'submitting' and request_id is null
returning *;

-- name: mark_in_progress^
update jobs set status = 'in_progress', started_at = :started_at, change_id = :change_id
where job_id = :job_id and process_id = :process_id and status = 'in_queue'
returning *;

-- name: free_place!
update jobs set takes_place = 0 where job_id = :job_id and process_id = :process_id;

-- name: request_cancel^
update jobs set cancelled_by = coalesce(cancelled_by, :user_id)
where job_id = :job_id and status in ('waiting', 'submitting', 'in_queue')
returning *;

-- name: end^
update jobs set
    status = :status,
    change_id = :change_id,
    error = :error,
    error_values = :error_values,
    delivered = :delivered,
    made = :made,
    refunded = :refunded,
    budget_refunded = :budget_refunded,
    ended_at = :ended_at,
    uncollected_since = :uncollected_since,
    next_check_at = :next_check_at,
    next_cost_check_at = :next_cost_check_at,
    token = case when :status = 'succeeded' then null else token end
where job_id = :job_id and process_id = :process_id
    and status in ('waiting', 'submitting', 'in_queue', 'in_progress')
returning *;

-- name: clear_token!
-- A job that has not ended keeps it: its end, which comes first, can have failed because another process had the job.
update jobs set token = null
where job_id = :job_id and process_id = :process_id and token = :token
    and status in ('succeeded', 'failed', 'cancelled');

-- name: refetch^
update jobs set
    status = 'in_progress', process_id = :process_id, change_id = :change_id, channel_id = :channel_id, locale = :locale, token = :token,
    interaction_at = :interaction_at,
    file_limit = :file_limit, message_id = null, started_at = null, ended_at = null, error = null,
    error_values = '{}', cancelled_by = null, next_check_at = null, next_cost_check_at = null, takes_place = 0,
    origin = case when message_id is null then origin  -- the response to an earlier press was lost
        when message_id <> coalesce(cast(:answered_message_id as bigint), 0) and is_private = 0
            then channel_id || '/' || message_id end
where job_id = :job_id and status in ('failed', 'succeeded') and request_id is not null and deleted_at is null
    and error in ('generation-timeout', 'output-unavailable', 'delivery-failed', 'operator', 'unexpected')
returning *;

-- name: uncollected_since
select * from jobs
where uncollected_since <= :before and status in ('failed', 'succeeded')
order by uncollected_since;

-- name: give_up^
-- One statement refunds the images and ends collecting them. `ended_at` tells which end was seen: a job that is
-- being refetched, or has ended again, is unchanged.
update jobs set
    refunded = case when refunded > image_count - delivered then refunded else image_count - delivered end,
    error = :error, error_values = '{}', uncollected_since = null, next_check_at = null, check_count = :check_count,
    process_id = :process_id, change_id = :change_id
where job_id = :job_id and ended_at = :ended_at and status in ('failed', 'succeeded')
    and request_id is not null and deleted_at is null
    and error in ('generation-timeout', 'output-unavailable', 'delivery-failed', 'operator', 'unexpected')
returning *;

-- name: due_for_check
select * from jobs where next_check_at <= :now order by next_check_at;

-- name: postpone_check^
update jobs set
    check_count = :check_count, next_check_at = :next_check_at, process_id = :process_id, change_id = :change_id
where job_id = :job_id and status = 'failed' and next_check_at is not null and check_count = :check_count - 1
returning *;

-- name: resume_late^
update jobs set
    status = 'in_progress', process_id = :process_id, change_id = :change_id, check_count = check_count + 1,
    next_check_at = null, next_cost_check_at = null, takes_place = 0,
    started_at = null, ended_at = null, error = null,
    error_values = '{}'
where job_id = :job_id and status = 'failed' and next_check_at is not null
returning *;

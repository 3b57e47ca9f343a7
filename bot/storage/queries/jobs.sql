-- name: insert_job!
insert into jobs (
    job_id, parent_id, interaction_id, guild_id, channel_id, user_id, locale, token, asked_at, file_limit,
    model_id, input, images, is_private, is_spoiler, credits_each, usd_each, limited_by, status, created_at
) values (
    :job_id, :parent_id, :interaction_id, :guild_id, :channel_id, :user_id, :locale, :token, :asked_at, :file_limit,
    :model_id, :input, :images, :is_private, :is_spoiler, :credits_each, :usd_each, :limited_by, :status, :created_at
)
on conflict (interaction_id) do nothing;

-- name: job^
select * from jobs where job_id = :job_id;

-- name: open_jobs
select * from jobs
where token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress')
order by created_at;

-- name: unfinished_jobs
-- What a member waits for, and what may still be fetched.
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

-- name: answered^
update jobs set message_id = :message_id where job_id = :job_id
returning *;

-- name: submitting^
update jobs set status = 'submitting'
where job_id = :job_id and status = 'waiting' and cancelled_by is null
returning *;

-- name: refused^
update jobs set status = 'waiting'
where job_id = :job_id and status = 'submitting' and request_id is null
returning *;

-- name: submitted^
update jobs set status = 'in_queue', request_id = :request_id
where job_id = :job_id and status = 'submitting'
returning *;

-- name: painting^
update jobs set status = 'in_progress', started_at = :started_at
where job_id = :job_id and status = 'in_queue'
returning *;

-- name: ask_to_cancel^
update jobs set cancelled_by = coalesce(cancelled_by, :user_id)
where job_id = :job_id and status in ('waiting', 'submitting', 'in_queue')
returning *;

-- name: end^
update jobs set
    status = :status,
    error = :error,
    error_values = :error_values,
    delivered = :delivered,
    made = :made,
    refunded = :refunded,
    unspent = :unspent,
    ended_at = :ended_at,
    uncollected_since = :uncollected_since,
    look_at = :look_at,
    cost_at = :cost_at,
    token = case when :told = 1 then null else token end
where job_id = :job_id and status in ('waiting', 'submitting', 'in_queue', 'in_progress')
returning *;

-- name: told!
update jobs set token = null where job_id = :job_id and token = :token;

-- name: fetch_again^
update jobs set
    status = 'in_progress', channel_id = :channel_id, locale = :locale, token = :token, asked_at = :asked_at,
    file_limit = :file_limit, message_id = null, started_at = null, ended_at = null, error = null,
    error_values = '{}', cancelled_by = null, look_at = null, cost_at = null
where job_id = :job_id and status in ('failed', 'succeeded') and request_id is not null and deleted_at is null
    and error in ('generation-timeout', 'output-unavailable', 'delivery-failed', 'operator', 'unexpected')
returning *;

-- name: uncollected_jobs
select * from jobs
where uncollected_since <= :before and status in ('failed', 'succeeded')
order by uncollected_since;

-- name: give_up^
-- The refund and the withdrawal are one statement: neither happens without the other. `ended_at` says which end
-- was seen: a job that is being fetched, or was fetched in vain since, is left alone.
update jobs set
    refunded = case when refunded > images - delivered then refunded else images - delivered end,
    error = :error, error_values = '{}', uncollected_since = null, look_at = null, looks = :looks
where job_id = :job_id and ended_at = :ended_at and status in ('failed', 'succeeded')
    and request_id is not null and deleted_at is null
    and error in ('generation-timeout', 'output-unavailable', 'delivery-failed', 'operator', 'unexpected')
returning *;

-- name: due_jobs
select * from jobs where look_at <= :now order by look_at;

-- name: looked^
update jobs set looks = looks + 1, look_at = :look_at
where job_id = :job_id and status = 'failed' and look_at is not null
returning *;

-- name: take_up_late^
update jobs set
    status = 'in_progress', looks = looks + 1, look_at = null, cost_at = null, started_at = null, ended_at = null, error = null,
    error_values = '{}'
where job_id = :job_id and status = 'failed' and look_at is not null
returning *;

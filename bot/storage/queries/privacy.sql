-- name: summary^
select count(*) as requests,
    coalesce(sum(case when text_removed_at is null then 1 else 0 end), 0) as texts,
    coalesce(sum(case when message_id is not null and is_private = 0 then 1 else 0 end), 0) as messages,
    coalesce(sum(case when text_removed_at is null or deleted_at is null then 1 else 0 end), 0) as erasable
from jobs where user_id = :user_id;

-- name: former_messages$
select count(*) from left_messages join jobs using (job_id) where user_id = :user_id and is_private = 0;

-- name: erasing$
-- Requests that are deleted once they have ended.
select count(*) from jobs join erasures using (user_id)
where user_id = :user_id and created_at <= requested_at and (text_removed_at is null or deleted_at is null);

-- name: job_ids
select job_id from jobs where user_id = :user_id;

-- name: jobs
select * from jobs where user_id = :user_id order by created_at;

-- name: limits
select guild_id, per, credits, set_at from rules
where kind = 'member' and target_id = :user_id
order by guild_id, per;

-- name: extra_credits
select guild_id, credits, start_over, made_at from adjustments
where kind = 'member' and target_id = :user_id
order by made_at;

-- name: settings_with
select guild_id, settings from guilds where settings like :pattern order by guild_id;

-- name: request_erasure!
insert into erasures (user_id, requested_at) values (:user_id, :requested_at)
on conflict (user_id) do update set requested_at = excluded.requested_at;

-- name: erasures
select user_id, requested_at from erasures order by requested_at;

-- name: to_erase
-- Jobs that have ended, with an end that is shown.
select job_id from jobs
where user_id = :user_id and created_at <= :requested_at and (text_removed_at is null or deleted_at is null)
    and token is null and status in ('succeeded', 'failed', 'cancelled')
order by created_at;

-- name: erase^
-- Credits, costs and times stay, so that no limit, budget or report changes.
update jobs set input = '{}', input_files = '[]', preset = null, origin = null, error_values = '{}',
    text_removed_at = coalesce(text_removed_at, :now), deleted_at = coalesce(deleted_at, :now),
    deleted_by = coalesce(deleted_by, user_id), next_check_at = null, uncollected_since = null, message_id = null
where job_id = :job_id and user_id = :user_id and token is null and status in ('succeeded', 'failed', 'cancelled')
returning job_id;

-- name: to_anonymize
-- Deleted jobs that no limit and no month's bill needs by person any more.
select job_id from jobs
where user_id = :user_id and created_at <= :requested_at and created_at <= :before
    and text_removed_at is not null and deleted_at is not null and next_cost_check_at is null
order by created_at;

-- name: anonymize*!
-- What remains says what a request has cost a server and when. User 0 is no one.
update jobs set user_id = 0, channel_id = 0, interaction_id = :interaction_id, parent_id = null, request_id = null,
    locale = 'en-US', applied_limits = '', credits_left = null, credits_left_per = null, cancelled_by = null,
    deleted_by = null
where job_id = :job_id;

-- name: finish!
delete from erasures
where user_id = :user_id and requested_at = :requested_at and not exists (
    select 1 from jobs where jobs.user_id = :user_id and created_at <= :requested_at
);

-- name: old_texts
select job_id from jobs
where text_removed_at is null and ended_at <= :before
    and token is null and status in ('succeeded', 'failed', 'cancelled')
    and next_check_at is null and uncollected_since is null
order by ended_at
limit :most;

-- name: remove_text*!
update jobs set input = '{}', input_files = '[]', preset = null, error_values = '{}', text_removed_at = :now
where job_id = :job_id and text_removed_at is null
    and token is null and status in ('succeeded', 'failed', 'cancelled');

-- name: track_for_deletion!
-- Remembers the message of a job that is deleted or about to get another.
insert into left_messages (message_id, channel_id, job_id)
select message_id, channel_id, job_id from jobs where job_id = :job_id and message_id is not null
on conflict (message_id) do nothing;

-- name: delete_job^
-- A job that is running, or whose end is not shown yet, cannot be deleted; nothing is checked or shown afterwards.
-- Uncollected images stay charged, like delivered ones: otherwise deleting would get around limits.
update jobs set deleted_at = :deleted_at, deleted_by = :deleted_by, next_check_at = null, uncollected_since = null,
    message_id = null
where job_id = :job_id and deleted_at is null and token is null
    and status in ('succeeded', 'failed', 'cancelled')
returning job_id;

-- name: remaining
select channel_id, message_id from left_messages where job_id = :job_id order by message_id;

-- name: mark_deleted!
delete from left_messages where message_id = :message_id;

-- name: job_for_message$
select job_id from jobs where message_id = :message_id
union all
select job_id from left_messages where message_id = :message_id;

-- name: jobs_pending_deletion
-- Deleted jobs whose messages may still exist.
select distinct job_id from left_messages join jobs using (job_id)
where deleted_at is not null
order by job_id;

-- name: jobs_deleted_since
select job_id from jobs where deleted_at >= :since;

-- name: live_counts
-- How many jobs are in each unfinished state, and since when.
select status, count(*) as jobs, min(interaction_at) as since from jobs
where (token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress'))
    and status in ('waiting', 'submitting', 'in_queue', 'in_progress')
group by status;

-- name: live_before
select job_id from jobs
where (token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress'))
    and status in ('waiting', 'submitting', 'in_queue', 'in_progress')
    and process_id = :process_id
    and interaction_at < case when message_id is null then cast(:without_message as bigint) else cast(:before as bigint) end;

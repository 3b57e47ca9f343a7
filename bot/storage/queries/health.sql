-- name: live
-- How many jobs are under way in each state, and since when the oldest of them is.
select status, count(*) as jobs, min(asked_at) as since from jobs
where (token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress'))
    and status in ('waiting', 'submitting', 'in_queue', 'in_progress')
group by status;

-- name: live_since
select job_id from jobs
where (token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress'))
    and status in ('waiting', 'submitting', 'in_queue', 'in_progress')
    and asked_at < case when message_id is null then :without_message else :before end;

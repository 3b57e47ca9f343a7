-- name: monthly_costs
-- Each server's cost in each month (UTC), with the expected cost if RunComfy has not reported it.
select strftime('%Y-%m', created_at / 1000, 'unixepoch') as month, guild_id, count(*) as jobs,
    sum(delivered) as images,
    sum((image_count - refunded) * credits_each) as credits,
    sum(coalesce(cost, (image_count - budget_refunded) * coalesce(usd_each, 0))) as usd,
    sum(case when cost is null then 1 else 0 end) as unpriced
from jobs
group by month, guild_id
order by month desc, usd desc, guild_id;

-- name: model_jobs
-- The seconds of each job that succeeded, null for one that failed.
select model_id, case when status = 'succeeded'
    then (ended_at - coalesce(started_at, created_at)) / 1000.0 end as seconds
from jobs
where created_at >= :since and (status = 'succeeded' or (status = 'failed' and error <> 'prompt-refused'));

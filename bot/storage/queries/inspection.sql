-- name: daily_costs
-- Each server's cost on each day (UTC, since 1970), with the expected cost if RunComfy has not reported it.
select created_at / 86400000 as day, guild_id, count(*) as jobs,
    sum(delivered) as images,
    cast(sum((image_count - refunded) * credits_each) as bigint) as credits,
    cast(sum(coalesce(cost, (image_count - budget_refunded) * coalesce(usd_each, 0))) as bigint) as usd,
    sum(case when cost is null then 1 else 0 end) as unpriced
from jobs
group by 1, guild_id;

-- name: model_jobs
-- The seconds of each job that succeeded, null for one that failed.
select model_id, case when status = 'succeeded'
    then cast(ended_at - coalesce(started_at, created_at) as double precision) / 1000 end as seconds
from jobs
where created_at >= :since and (status = 'succeeded' or (status = 'failed' and error <> 'prompt-refused'));

-- name: by_month
-- Each server's cost between two times, with the expected cost if RunComfy has not reported it.
select guild_id, count(*) as jobs, sum(delivered) as images,
    sum((image_count - refunded) * credits_each) as credits,
    sum(coalesce(cost, (image_count - budget_refunded) * coalesce(usd_each, 0))) as usd,
    sum(case when cost is null then 1 else 0 end) as unpriced
from jobs
where created_at >= :since and created_at < :until
group by guild_id
order by usd desc, guild_id;

-- name: first_created_at^
select min(created_at) from jobs;

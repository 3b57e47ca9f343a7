-- name: due
select * from jobs where cost_at <= :now order by cost_at limit :most;

-- name: job^
select * from jobs where job_id = :job_id;

-- name: ask_later!
update jobs set cost_at = :cost_at where job_id = :job_id;

-- name: cost^
update jobs set cost = :cost, cost_at = null where job_id = :job_id returning *;

-- name: learn!
insert into prices (model_id, credits_each, usd_each) values (:model_id, :credits_each, :usd_each)
on conflict (model_id, credits_each) do update set usd_each = excluded.usd_each;

-- name: prices
-- The published base price (credits_each 0), and what an image of this kind has cost last.
select credits_each, usd_each from prices where model_id = :model_id and credits_each in (0, :credits_each);

-- name: by_month
-- What each server has cost between two moments: said by RunComfy, else expected.
select guild_id, count(*) as jobs, sum(images - refunded) as images,
    sum((images - refunded) * credits_each) as credits,
    sum(coalesce(cost, (images - unspent) * coalesce(usd_each, 0))) as usd,
    sum(case when cost is null then 1 else 0 end) as unpriced
from jobs
where created_at >= :since and created_at < :until
group by guild_id
order by usd desc, guild_id;

-- name: first_created_at$
select min(created_at) from jobs;

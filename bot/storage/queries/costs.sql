-- name: due
select * from jobs where cost_at <= :now order by cost_at limit :most;

-- name: job^
select * from jobs where job_id = :job_id;

-- name: ask_later!
update jobs set cost_at = :cost_at where job_id = :job_id;

-- name: cost^
update jobs set cost = :cost, cost_at = null where job_id = :job_id returning *;

-- name: learn!
insert into prices (model_id, credits_each, usd_each, learned_at)
values (:model_id, :credits_each, :usd_each, :learned_at)
on conflict (model_id, credits_each) do update set
    usd_each = excluded.usd_each, learned_at = excluded.learned_at;

-- name: prices
-- The published base price (credits_each 0), and what an image of each kind has cost last.
select credits_each, usd_each, learned_at from prices where model_id = :model_id;

-- name: due_for_cost_check
select * from jobs where next_cost_check_at <= :now order by next_cost_check_at;

-- name: postpone_cost_check!
update jobs set next_cost_check_at = :next_cost_check_at where job_id = :job_id;

-- name: record_cost^
update jobs set cost = :cost, next_cost_check_at = null where job_id = :job_id returning *;

-- name: update_price!
insert into prices (model_id, credits_each, usd_each, learned_at)
values (:model_id, :credits_each, :usd_each, :learned_at)
on conflict (model_id, credits_each) do update set
    usd_each = excluded.usd_each, learned_at = excluded.learned_at;

-- name: prices
-- The list price (credits_each 0), and the last cost of an image of each kind, told apart by its credits.
select credits_each, usd_each, learned_at from prices where model_id = :model_id;

-- name: readings
-- With the list price, which prices has as credits_each 0.
select live_models.model_id, entry, read_at, usd_each
from live_models
left join prices on prices.model_id = live_models.model_id and credits_each = 0;

-- name: record!
insert into live_models (model_id, entry, read_at) values (:model_id, :entry, :read_at)
on conflict (model_id) do update set entry = excluded.entry, read_at = excluded.read_at;

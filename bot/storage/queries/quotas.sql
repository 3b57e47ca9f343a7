-- name: add_usage*!
insert into usage (scope, starts_at, used)
values (:scope, :starts_at, case when cast(:amount as bigint) > 0 then cast(:amount as bigint) else 0 end)
on conflict (scope, starts_at) do update set used = usage.used + cast(:amount as bigint);

-- name: used
-- Usage in each of several spans, in their order: by a member to the millisecond, in other scopes by quarters of
-- an hour. (:spans) stands for one row each; see `ledger.used`.
with spans (number, scope, since, until) as (values (:spans))
select cast(case spans.scope when 'member' then (
    select coalesce(sum((image_count - refunded) * credits_each), 0) from jobs
    where guild_id = :guild_id and user_id = :user_id and created_at >= since and created_at < until
) else (
    select coalesce(sum(used), 0) from usage
    where usage.scope = spans.scope and starts_at >= since and starts_at < until
) end as bigint) as used
from spans order by number;

-- name: uncollected_of_member^
-- Images that a member is charged for and can still collect.
select coalesce(sum(image_count - refunded - delivered), 0) as images,
    cast(coalesce(sum((image_count - refunded - delivered) * credits_each), 0) as bigint) as credits
from jobs
where guild_id = :guild_id and user_id = :user_id and uncollected_since is not null
    and status in ('failed', 'succeeded');

-- name: set_rule!
insert into rules (guild_id, kind, target_id, per, credits, set_by, set_at)
values (:guild_id, :kind, :target_id, :per, :credits, :set_by, :set_at)
on conflict (guild_id, kind, target_id, per) do update set
    credits = excluded.credits, set_by = excluded.set_by, set_at = excluded.set_at;

-- name: clear_rules!
-- Without :per, those of every period.
delete from rules
where guild_id = :guild_id and kind = :kind and target_id = :target_id and per = coalesce(:per, per);

-- name: rules
select kind, target_id, per, credits from rules where guild_id = :guild_id order by kind, target_id;

-- name: adjust!
insert into adjustments (interaction_id, guild_id, kind, target_id, credits, start_over, made_by, made_at)
values (:interaction_id, :guild_id, :kind, :target_id, :credits, :start_over, :made_by, :made_at)
on conflict (interaction_id) do nothing;

-- name: context
-- Everything that decides about a job: rows of five tables, distinguished by `source`.
select 'settings' as source, settings, null as kind, cast(null as bigint) as target_id, null as per,
    cast(null as bigint) as credits, cast(null as bigint) as start_over, cast(null as bigint) as made_at,
    cast(null as bigint) as credits_each, cast(null as bigint) as usd_each, cast(null as bigint) as learned_at
from guilds where guild_id = :guild_id
union all
select 'paused', null, null, null, null, null, null, null, null, null, null from facts where name = 'paused'
union all
select 'rule', null, kind, target_id, per, credits, null, null, null, null, null
from rules where guild_id = :guild_id and (kind <> 'member' or target_id = :user_id)
union all
select 'adjustment', null, kind, target_id, null, credits, start_over, made_at, null, null, null
from adjustments
where guild_id = :guild_id and made_at >= :adjusted_since and (kind <> 'member' or target_id = :user_id)
union all
select 'price', null, null, null, null, null, null, null, credits_each, usd_each, learned_at
from prices where model_id = :model_id;

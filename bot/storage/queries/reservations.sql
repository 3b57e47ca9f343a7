-- name: context
-- Everything that decides about a job: rows of four tables, distinguished by `source`.
select 'settings' as source, settings, null as kind, null as target_id, null as per, null as credits,
    null as made_at, null as credits_each, null as usd_each, null as learned_at
from guilds where guild_id = :guild_id
union all
select 'rule', null, kind, target_id, per, credits, null, null, null, null
from rules where guild_id = :guild_id and (kind <> 'member' or target_id = :user_id)
union all
select 'adjustment', null, kind, target_id, null, credits, made_at, null, null, null
from adjustments
where guild_id = :guild_id and made_at >= :adjusted_since and (kind <> 'member' or target_id = :user_id)
union all
select 'price', null, null, null, null, null, null, credits_each, usd_each, learned_at
from prices where model_id = :model_id;

-- name: insert!
insert into jobs (
    job_id, parent_id, interaction_id, guild_id, channel_id, user_id, locale, token, interaction_at,
    file_limit, model_id, input, image_count, is_private, is_spoiler, credits_each, usd_each, applied_limits,
    status, created_at
) values (
    :job_id, :parent_id, :interaction_id, :guild_id, :channel_id, :user_id, :locale, :token, :interaction_at,
    :file_limit, :model_id, :input, :image_count, :is_private, :is_spoiler, :credits_each, :usd_each, :applied_limits,
    :status, :created_at
)
on conflict (interaction_id) do nothing;

-- name: add_usage*!
-- In a database with concurrent writers, its row lock keeps two jobs of a server from exceeding a limit together.
insert into usage (scope, starts_at, used)
values (:scope, :starts_at, case when :amount > 0 then :amount else 0 end)
on conflict (scope, starts_at) do update set used = usage.used + :amount;

-- name: used
-- Usage in each of several windows, in their order: by a member to the millisecond, in other scopes by
-- quarters of an hour. :windows is JSON: [[scope, since, until], ...]
select case json_extract(value, '$[0]') when 'member' then (
    select coalesce(sum((image_count - refunded) * credits_each), 0) from jobs
    where guild_id = :guild_id and user_id = :user_id
        and created_at >= json_extract(value, '$[1]') and created_at < json_extract(value, '$[2]')
) else (
    select coalesce(sum(used), 0) from usage
    where scope = json_extract(value, '$[0]')
        and starts_at >= json_extract(value, '$[1]') and starts_at < json_extract(value, '$[2]')
) end as used
from json_each(:windows) order by key;

-- name: uncollected_of_member^
-- Images that a member is charged for and can still collect.
select coalesce(sum(image_count - refunded - delivered), 0) as images,
    coalesce(sum((image_count - refunded - delivered) * credits_each), 0) as credits
from jobs
where guild_id = :guild_id and user_id = :user_id and uncollected_since is not null
    and status in ('failed', 'succeeded');

-- name: set_rule!
insert into rules (guild_id, kind, target_id, per, credits, set_by, set_at)
values (:guild_id, :kind, :target_id, :per, :credits, :set_by, :set_at)
on conflict (guild_id, kind, target_id, per) do update set
    credits = excluded.credits, set_by = excluded.set_by, set_at = excluded.set_at;

-- name: clear_rules!
delete from rules where guild_id = :guild_id and kind = :kind and target_id = :target_id;

-- name: rules
select kind, target_id, per, credits from rules where guild_id = :guild_id order by kind, target_id;

-- name: rules_for_member
-- The rules that can apply to a member: all but those of other members.
select kind, target_id, per, credits from rules
where guild_id = :guild_id and (kind <> 'member' or target_id = :user_id);

-- name: adjust!
insert into adjustments (interaction_id, guild_id, kind, target_id, credits, made_by, made_at)
values (:interaction_id, :guild_id, :kind, :target_id, :credits, :made_by, :made_at)
on conflict (interaction_id) do nothing;

-- name: adjustments_for_member
select kind, target_id, credits, made_at from adjustments
where guild_id = :guild_id and made_at >= :since and (kind <> 'member' or target_id = :user_id)
order by made_at;

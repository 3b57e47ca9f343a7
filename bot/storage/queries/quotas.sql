-- name: reserve!
-- Adds to a window only where the sum stays within :most; the row count says whether it did.
insert into usage (scope, period, window_start, used)
select :scope, :period, :window_start, :images
where :images <= :most
on conflict (scope, period, window_start) do update set used = usage.used + excluded.used
where usage.used + excluded.used <= :most;

-- name: give_back!
update usage set used = used - :images
where scope = :scope and period = :period and window_start = :window_start;

-- name: used$
select used from usage where scope = :scope and period = :period and window_start = :window_start;

-- name: set_rule!
insert into quotas (guild_id, user_id, images, per, set_by, set_at)
values (:guild_id, :user_id, :images, :per, :set_by, :set_at)
on conflict (guild_id, user_id) do update set
    images = excluded.images, per = excluded.per, set_by = excluded.set_by, set_at = excluded.set_at;

-- name: clear_rule!
delete from quotas where guild_id = :guild_id and user_id = :user_id;

-- name: binding_rule^
-- The member's own rule, else everybody's (user_id 0).
select images, per from quotas
where guild_id = :guild_id and user_id in (:user_id, 0)
order by user_id desc
limit 1;

-- name: rules
select user_id, images, per from quotas where guild_id = :guild_id order by user_id;

-- name: get$
select settings from guilds where guild_id = :guild_id;

-- name: set!
-- Only if the settings are still those that were read; null: there were none.
insert into guilds (guild_id, settings, changed_at, changed_by)
values (:guild_id, :settings, :changed_at, :changed_by)
on conflict (guild_id) do update set
    settings = excluded.settings, changed_at = excluded.changed_at, changed_by = excluded.changed_by
where guilds.settings = cast(:before as text);

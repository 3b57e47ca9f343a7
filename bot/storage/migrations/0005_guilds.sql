-- What a server's managers set, and what of it holds for a job from its order on.

create table guilds (
    guild_id bigint primary key,
    settings text not null,              -- a JSON object of those that are not at their defaults
    changed_at bigint not null,
    changed_by bigint not null
);

alter table jobs add column is_private integer not null default 0;  -- 1: only whoever ordered sees the message
alter table jobs add column is_spoiler integer not null default 0;  -- 1: the images are hidden until they are clicked

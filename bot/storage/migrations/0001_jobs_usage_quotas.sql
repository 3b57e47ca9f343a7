-- In the SQL that SQLite and PostgreSQL share: times are whole milliseconds since 1970 (UTC), JSON is text.

create table jobs (
    job_id text primary key,
    parent_id text,
    interaction_id bigint not null unique,
    guild_id bigint not null,
    channel_id bigint not null,
    user_id bigint not null,
    locale text not null,
    token text,                          -- wiped as soon as the final message is posted
    asked_at bigint not null,
    file_limit bigint not null,
    message_id bigint,
    model_id text not null,
    input text not null,
    images integer not null check (images > 0),
    refunded integer not null default 0 check (refunded between 0 and images),  -- to the member
    unspent integer not null default 0 check (unspent between 0 and refunded),   -- to the owner's budget
    status text not null,
    request_id text,
    error text,
    error_values text not null default '{}',
    cancelled_by bigint,
    created_at bigint not null,
    started_at bigint,
    ended_at bigint
);

-- What a start takes up again: everything unfinished, and every end that was not told yet.
create index jobs_open on jobs (created_at)
where token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress');

create index jobs_of_member on jobs (guild_id, user_id, created_at);

create table usage (
    scope text not null,                 -- member:<guild_id>:<user_id>, or owner for all servers together
    period text not null,
    window_start bigint not null,
    used integer not null check (used >= 0),
    primary key (scope, period, window_start)
);

create table quotas (
    guild_id bigint not null,
    user_id bigint not null,             -- 0: everybody without a rule of their own
    images integer not null check (images between 0 and 1000000),
    per text not null,
    set_by bigint not null,
    set_at bigint not null,
    primary key (guild_id, user_id)
);

create table facts (
    name text primary key,
    value text not null
);

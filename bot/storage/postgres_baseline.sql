-- Every table at version 17, for an empty PostgreSQL database; later versions have one file for both databases.

create table jobs (
    job_id text primary key,
    parent_id text,
    interaction_id bigint not null unique,
    guild_id bigint not null,
    channel_id bigint not null,
    user_id bigint not null,
    locale text not null,
    token text,                          -- wiped as soon as the final message is posted
    interaction_at bigint not null,
    file_limit bigint not null,
    message_id bigint,
    model_id text not null,
    input text not null,
    image_count integer not null check (image_count > 0),
    refunded integer not null default 0 check (refunded between 0 and image_count),             -- to the member
    budget_refunded integer not null default 0 check (budget_refunded between 0 and refunded),  -- to the owner
    status text not null,
    request_id text,
    error text,
    error_values text not null default '{}',
    cancelled_by bigint,
    created_at bigint not null,
    started_at bigint,
    ended_at bigint,
    next_check_at bigint,                -- when to check for late images; null: not again
    check_count integer not null default 0,
    credits_each bigint not null default 100,
    usd_each bigint,                     -- what one image was expected to cost
    cost bigint,                         -- what RunComfy says that all have cost
    next_cost_check_at bigint,           -- when to ask for that; null: not again
    applied_limits text not null default '',
    deleted_at bigint,
    deleted_by bigint,
    is_private integer not null default 0,
    is_spoiler integer not null default 0,
    delivered integer not null default 0,
    made integer,                        -- how many images RunComfy made; null: not known
    uncollected_since bigint,            -- null: no charged image waits to be collected
    credits_left bigint,                 -- null: no limit applied
    credits_left_per text,
    origin text,                         -- channel_id/message_id of the message that a request comes from
    input_files text not null default '[]',
    preset text,                         -- null: the member wrote the instruction
    text_option text not null default 'prompt',
    change_id bigint                     -- of the last change of its state
);

create index jobs_open on jobs (created_at)
where token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress');
create index jobs_of_member on jobs (guild_id, user_id, created_at);
create index jobs_of_guild on jobs (guild_id, created_at);
create index jobs_due on jobs (next_check_at) where next_check_at is not null;
create index jobs_unpriced on jobs (next_cost_check_at) where next_cost_check_at is not null;
create index jobs_uncollected on jobs (uncollected_since) where uncollected_since is not null;
create index jobs_of_message on jobs (message_id) where message_id is not null;

create table left_messages (
    message_id bigint primary key,
    channel_id bigint not null,
    job_id text not null references jobs (job_id)
);
create index left_messages_of_job on left_messages (job_id);

create table usage (
    scope text not null,                 -- guild:<guild_id> or owner in credits, owner-usd in dollars
    starts_at bigint not null,
    used bigint not null check (used >= 0),
    primary key (scope, starts_at)
);

create table rules (
    guild_id bigint not null,
    kind text not null,                  -- member, role, everybody or pool
    target_id bigint not null,           -- the member's or the role's, 0 for the others
    per text not null,
    credits integer not null check (credits between 0 and 1000000),
    set_by bigint not null,
    set_at bigint not null,
    primary key (guild_id, kind, target_id, per)
);

create table adjustments (
    interaction_id bigint primary key,   -- a replayed one gives nothing twice
    guild_id bigint not null,
    kind text not null,                  -- member or role
    target_id bigint not null,
    credits bigint,
    made_by bigint not null,
    made_at bigint not null,
    start_over integer not null default 0
);
create index adjustments_of_guild on adjustments (guild_id, made_at);

create table prices (
    model_id text not null,
    credits_each bigint not null,        -- 0: the base price that RunComfy publishes
    usd_each bigint not null,
    learned_at bigint not null default 0,
    primary key (model_id, credits_each)
);

create table guilds (
    guild_id bigint primary key,
    settings text not null,              -- a JSON object of those that are not at their defaults
    changed_at bigint not null,
    changed_by bigint not null
);

create table facts (
    name text primary key,
    value text not null
);

create table durations (
    id bigint generated always as identity primary key,
    kind text not null,                  -- model, resolution and number of images
    seconds double precision not null
);
create index durations_by_kind on durations (kind, id);

create table live_models (
    model_id text primary key,
    entry text not null,                 -- JSON, null if RunComfy did not know the model
    read_at bigint not null
);

-- Credits are kept in whole hundredths, US dollars in whole millionths. What was an image is a credit now.

alter table jobs add column credits_each bigint not null default 100;  -- what one image counts
alter table jobs add column usd_each bigint;                           -- what one was expected to cost
alter table jobs add column cost bigint;                               -- what RunComfy says that all have cost
alter table jobs add column cost_at bigint;                            -- when to ask for that; null: not again
alter table jobs add column limited_by text not null default '';       -- whose limits held, and which

create index jobs_of_guild on jobs (guild_id, created_at);
create index jobs_unpriced on jobs (cost_at) where cost_at is not null;

-- What all members of a server, or all servers, have used, by quarters of an hour: every time zone's days begin
-- with one. What a member has used is the sum of their jobs.
drop table usage;
create table usage (
    scope text not null,                 -- guild:<guild_id> or owner in credits, owner-usd in dollars
    starts_at bigint not null,
    used bigint not null check (used >= 0),
    primary key (scope, starts_at)
);
insert into usage (scope, starts_at, used)
select 'guild:' || guild_id, created_at - created_at % 900000, sum(images - refunded) * 100
from jobs group by 1, 2;
insert into usage (scope, starts_at, used)
select 'owner', created_at - created_at % 900000, sum(images - unspent) * 100
from jobs group by 1, 2;

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
insert into rules (guild_id, kind, target_id, per, credits, set_by, set_at)
select guild_id, case user_id when 0 then 'everybody' else 'member' end, user_id, per, images, set_by, set_at
from quotas;
drop table quotas;

-- What managers gave on top of the limits, and when they let windows start again.
create table adjustments (
    interaction_id bigint primary key,   -- a replayed one gives nothing twice
    guild_id bigint not null,
    kind text not null,                  -- member or role
    target_id bigint not null,
    credits bigint,                      -- null: a reset
    made_by bigint not null,
    made_at bigint not null
);
create index adjustments_of_guild on adjustments (guild_id, made_at);

-- What one image has cost last, by what it counts in credits; 0 is the base price that RunComfy publishes.
create table prices (
    model_id text not null,
    credits_each bigint not null,
    usd_each bigint not null,
    primary key (model_id, credits_each)
);

-- Images that exist but did not arrive stay charged for as long as they can be collected. Older rows were refunded
-- already: collecting those never charges.

alter table jobs add column delivered integer not null default 0;  -- how many images stand in Discord
alter table jobs add column made integer;                          -- how many RunComfy made; null: not known
alter table jobs add column uncollected_since bigint;              -- null: no charged image waits to be collected

update jobs set delivered = images - refunded
where refunded > 0 or status in ('succeeded', 'failed', 'cancelled');

create index jobs_uncollected on jobs (uncollected_since) where uncollected_since is not null;

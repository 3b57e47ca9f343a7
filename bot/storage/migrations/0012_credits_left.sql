-- What the tightest of a member's limits left after each job, to be shown while the job waits.

alter table jobs add column credits_left bigint;         -- null: no limit applied
alter table jobs add column credits_left_per text;       -- that limit's period

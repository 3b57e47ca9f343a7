-- People who asked for the deletion of what is stored about them; kept until no row names them.

create table erasures (
    user_id bigint primary key,
    requested_at bigint not null         -- later requests are not deleted
);

alter table jobs add column text_removed_at bigint;      -- null: prompt and options are stored

create index jobs_of_person on jobs (user_id, created_at);

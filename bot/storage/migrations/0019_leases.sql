-- Several processes on one database: until when each is alive, who runs a job, and who does periodic work.

create table processes (
    process_id text primary key,         -- drawn at each start
    alive_until bigint not null          -- by the database's clock, in milliseconds
);

create table duties (
    name text primary key,
    process_id text not null,
    until bigint not null                -- by the database's clock
);

alter table jobs add column process_id text not null default '';  -- '': any process may take it

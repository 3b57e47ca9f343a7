-- Images that were taken away for good; their rows stay for the bill.

alter table jobs add column deleted_at bigint;           -- null: not deleted
alter table jobs add column deleted_by bigint;

create index jobs_of_message on jobs (message_id) where message_id is not null;

-- Messages that a job has left for a newer one, as by Fetch; and those of deleted jobs, until they are gone.
create table left_messages (
    message_id bigint primary key,
    channel_id bigint not null,
    job_id text not null references jobs (job_id)
);

create index left_messages_of_job on left_messages (job_id);

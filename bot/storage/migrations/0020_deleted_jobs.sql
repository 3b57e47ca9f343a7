-- Each process looks for files of jobs that another one has deleted.

create index jobs_deleted on jobs (deleted_at) where deleted_at is not null;

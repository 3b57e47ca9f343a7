-- Pictures that go into a job, and jobs with a fixed instruction.

alter table jobs add column input_files text not null default '[]';  -- a JSON list, see `InputFile`
alter table jobs add column preset text;                             -- null: the member wrote the instruction

-- The last 200 durations of each kind of job, one row each; they replace the spans of `paces`.

create table durations (
    id integer primary key,
    kind text not null,                  -- model, resolution and number of images
    seconds real not null
) strict;

create index durations_by_kind on durations (kind, id);

create trigger durations_kept after insert on durations begin
    delete from durations where kind = new.kind and id <= (
        select id from durations where kind = new.kind order by id desc limit 1 offset 200
    );
end;

insert into durations (kind, seconds)
select paces.model_id || ' ' || paces.resolution || ' x' || paces.images,
       (json_extract(span.value, '$[0]') + json_extract(span.value, '$[1]')) / 2000.0
from paces, json_each(case when json_valid(paces.spans) then paces.spans else '[]' end) as span
where span.type = 'array' and json_extract(span.value, '$[0]') + json_extract(span.value, '$[1]') >= 0;

drop table paces;

-- name: load
select kind, seconds from durations order by id;

-- name: exists$
select 1 from durations where id = :id;

-- name: add*!
insert into durations (kind, seconds) values (:kind, :seconds);

-- name: add_last$
insert into durations (kind, seconds) values (:kind, :seconds) returning id;

-- name: keep_last_200*!
delete from durations where kind = :kind and id <= (
    select id from durations where kind = :kind order by id desc limit 1 offset 200
);

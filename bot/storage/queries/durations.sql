-- name: load
select kind, seconds from durations order by id;

-- name: add*!
insert into durations (kind, seconds) values (:kind, :seconds);

-- name: keep_last_200*!
delete from durations where kind = :kind and id <= (
    select id from durations where kind = :kind order by id desc limit 1 offset 200
);

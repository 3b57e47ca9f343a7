-- name: load
select kind, seconds from durations order by id;

-- name: add*!
insert into durations (kind, seconds) values (:kind, :seconds);

-- name: get$
select value from facts where name = :name;

-- name: set!
insert into facts (name, value) values (:name, :value)
on conflict (name) do update set value = excluded.value;

-- name: claim!
insert into facts (name, value) values (:name, :value)
on conflict (name) do update set value = excluded.value where facts.value <> excluded.value;

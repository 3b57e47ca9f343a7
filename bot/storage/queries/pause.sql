-- name: since$
select value from facts where name = 'paused';

-- name: pause!
insert into facts (name, value) values ('paused', :since) on conflict (name) do nothing;

-- name: resume$
delete from facts where name = 'paused' returning value;

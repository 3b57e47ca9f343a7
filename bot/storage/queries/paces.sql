-- name: paces
select * from paces;

-- name: keep!
insert into paces (model_id, resolution, images, was_queued, spans)
values (:model_id, :resolution, :images, :was_queued, :spans)
on conflict (model_id, resolution, images, was_queued) do update set spans = excluded.spans;

-- How long the last jobs of each kind took, so that it is known when to look at the next one.

create table paces (
    model_id text not null,
    resolution text not null,            -- empty for a model without any
    images integer not null,
    was_queued integer not null,         -- whether RunComfy had it in its queue before it painted
    spans text not null,                 -- [[milliseconds when it had not ended yet, when it had], ...], oldest first
    primary key (model_id, resolution, images, was_queued)
);

-- What RunComfy said about each model when it was read last; its price is in prices.

create table live_models (
    model_id text primary key,
    entry text not null,                 -- JSON, null if RunComfy did not know the model
    read_at bigint not null
);

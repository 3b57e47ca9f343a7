-- The database of version 0.1.0 of the bot, killed with five jobs under way; written by Python's `iterdump`.
PRAGMA user_version = 6;
BEGIN TRANSACTION;
CREATE TABLE adjustments (
    interaction_id bigint primary key,   -- a replayed one gives nothing twice
    guild_id bigint not null,
    kind text not null,                  -- member or role
    target_id bigint not null,
    credits bigint,                      -- null: a reset
    made_by bigint not null,
    made_at bigint not null
);
CREATE TABLE facts (
    name text primary key,
    value text not null
);
INSERT INTO "facts" VALUES('commands of application 1576710218153197568','675957c46e3928f68874c4f63f90667c4c89bba0c63533fed5f96261bd56ec83');
CREATE TABLE guilds (
    guild_id bigint primary key,
    settings text not null,              -- a JSON object of those that are not at their defaults
    changed_at bigint not null,
    changed_by bigint not null
);
CREATE TABLE jobs (
    job_id text primary key,
    parent_id text,
    interaction_id bigint not null unique,
    guild_id bigint not null,
    channel_id bigint not null,
    user_id bigint not null,
    locale text not null,
    token text,                          -- wiped as soon as the final message is posted
    asked_at bigint not null,
    file_limit bigint not null,
    message_id bigint,
    model_id text not null,
    input text not null,
    images integer not null check (images > 0),
    refunded integer not null default 0 check (refunded between 0 and images),  -- to the member
    unspent integer not null default 0 check (unspent between 0 and refunded),   -- to the owner's budget
    status text not null,
    request_id text,
    error text,
    error_values text not null default '{}',
    cancelled_by bigint,
    created_at bigint not null,
    started_at bigint,
    ended_at bigint
, look_at bigint, looks integer not null default 0, credits_each bigint not null default 100, usd_each bigint, cost bigint, cost_at bigint, limited_by text not null default '', deleted_at bigint, deleted_by bigint, is_private integer not null default 0, is_spoiler integer not null default 0);
INSERT INTO "jobs" VALUES('5f973d1105964c92ba73222a9cefaf29',NULL,1576710227573604385,1576710218153197569,1576710218153197571,1576710218153197575,'en-US',NULL,1795987412113,10485760,1576710227619741730,'google/nano-banana-2/text-to-image','{"prompt": "done", "num_images": 2, "seed": 1064804077, "aspect_ratio": "auto", "resolution": "0.5K", "output_format": "png", "safety_tolerance": 4, "limit_generations": true, "enable_web_search": false}',2,0,0,'succeeded','e69457a3-42f5-49ff-bef4-dcbb3f769049',NULL,'{}',NULL,1795987412121,NULL,1795987412545,NULL,0,75,37500,NULL,1795987412545,'everybody:0 50/day',NULL,NULL,0,0);
INSERT INTO "jobs" VALUES('abdfb6e2fc664eca87117bc6a3b80951',NULL,1576710229381349413,1576710218153197569,1576710218153197571,1576710218153197575,'en-US',NULL,1795987412544,10485760,1576710229477818406,'google/nano-banana-2/text-to-image','{"prompt": "refuse this", "num_images": 1, "seed": 1067953757, "aspect_ratio": "auto", "resolution": "1K", "output_format": "png", "safety_tolerance": 4, "limit_generations": true, "enable_web_search": false}',1,1,1,'failed','3f545110-58bf-4a62-b2d8-8a99eced2004','prompt-refused','{}',NULL,1795987412554,NULL,1795987412611,NULL,0,100,50000,NULL,1795987412611,'everybody:0 50/day',NULL,NULL,0,0);
INSERT INTO "jobs" VALUES('991e8d0957024903b2bfa7a905aeb217',NULL,1576710242073313319,1576710218153197569,1576710218153197571,1576710218153197575,'en-US','h3H_80TXE5UpeeR6zDTD3DtsC0xTTTpc9k_A-9hUx03xQ2cQd8vYrNPxuPhbA908',1795987415570,10485760,1576710242085896232,'google/nano-banana-2/text-to-image','{"prompt": "in progress", "num_images": 3, "seed": 1303899925, "aspect_ratio": "auto", "resolution": "1K", "output_format": "png", "safety_tolerance": 4, "limit_generations": true, "enable_web_search": false}',3,0,0,'in_progress','5d0fad25-dc0f-49e2-8e98-e25701b0034e',NULL,'{}',NULL,1795987415571,1795987417641,NULL,NULL,0,100,50000,NULL,NULL,'everybody:0 50/day',NULL,NULL,0,0);
INSERT INTO "jobs" VALUES('7640f6238c2348d4acb05bd70e62b549',NULL,1576710263099359273,1576710218153197569,1576710218153197571,1576710218153197577,'en-US','AHxPq9k1DPKR1TEeXjRy4h_zJllO-2HptEgAbP8UQmYDW0oogQx_7Lg-Ul0qtpW4',1795987420583,10485760,1576710263132913706,'google/nano-banana-2/text-to-image','{"prompt": "in queue", "num_images": 1, "seed": 173612452, "aspect_ratio": "auto", "resolution": "1K", "output_format": "png", "safety_tolerance": 4, "limit_generations": true, "enable_web_search": false}',1,0,0,'in_queue','ca262393-7834-4f8d-bea8-5802de647e5b',NULL,'{}',NULL,1795987420584,NULL,NULL,NULL,0,100,50000,NULL,NULL,'everybody:0 50/day',NULL,NULL,0,0);
INSERT INTO "jobs" VALUES('d786fdf64fd84ae499026eb89c7a56b4',NULL,1576710263137108011,1576710218153197569,1576710218153197571,1576710218153197577,'en-US','gNWSUmKN6ndUv2JjsAV7ZPAPBkMFIx7wItDvFck1x5VSHplGoNR0avIgJAZ5hhk2',1795987420592,10485760,1576710263187439660,'google/nano-banana-2/text-to-image','{"prompt": "in queue too", "num_images": 1, "seed": 1404561681, "aspect_ratio": "auto", "resolution": "1K", "output_format": "png", "safety_tolerance": 4, "limit_generations": true, "enable_web_search": false}',1,0,0,'in_queue','69e670fe-1933-4bd0-ad70-cc86aeac2220',NULL,'{}',NULL,1795987420598,NULL,NULL,NULL,0,100,50000,NULL,NULL,'everybody:0 50/day',NULL,NULL,0,0);
INSERT INTO "jobs" VALUES('d298d9091fe64f659e3458b59ad87991',NULL,1576710263191633965,1576710218153197569,1576710218153197571,1576710218153197577,'en-US','PE5q59OXxQjHY7OG0wuQdIycRrqc4DkTZqJeUZpzbGCODZcm6m9sXthgkjFHRN6c',1795987420605,10485760,1576710263250354222,'google/nano-banana-2/text-to-image','{"prompt": "in queue as well", "num_images": 1, "seed": 1974660683, "aspect_ratio": "auto", "resolution": "1K", "output_format": "png", "safety_tolerance": 4, "limit_generations": true, "enable_web_search": false}',1,0,0,'in_queue','debd037f-4608-42af-8c34-91d04993d828',NULL,'{}',NULL,1795987420610,NULL,NULL,NULL,0,100,50000,NULL,NULL,'everybody:0 50/day',NULL,NULL,0,0);
INSERT INTO "jobs" VALUES('e844738f4ebf4bff82c75e0913dba190',NULL,1576710271668322351,1576710218153197569,1576710218153197571,1576710218153197575,'en-US','IfrKx6Xf9tk0nMD4PQ_a8M9uSo1c-bbIjXf21Fm1076IOUi4bl19MRunC6GZ-NjZ',1795987422626,10485760,1576710271701876784,'google/nano-banana-2/text-to-image','{"prompt": "waiting", "num_images": 1, "seed": 95151884, "aspect_ratio": "auto", "resolution": "1K", "output_format": "png", "safety_tolerance": 4, "limit_generations": true, "enable_web_search": false}',1,0,0,'waiting',NULL,NULL,'{}',NULL,1795987422631,NULL,NULL,NULL,0,100,50000,NULL,NULL,'everybody:0 50/day',NULL,NULL,0,0);
CREATE TABLE left_messages (
    message_id bigint primary key,
    channel_id bigint not null,
    job_id text not null references jobs (job_id)
);
CREATE TABLE paces (
    model_id text not null,
    resolution text not null,            -- empty for a model without any
    images integer not null,
    was_queued integer not null,         -- whether RunComfy had it in its queue before it painted
    spans text not null,                 -- [[milliseconds when it had not ended yet, when it had], ...], oldest first
    primary key (model_id, resolution, images, was_queued)
);
INSERT INTO "paces" VALUES('google/nano-banana-2/text-to-image','0.5K',2,0,'[[0, 0]]');
CREATE TABLE prices (
    model_id text not null,
    credits_each bigint not null,
    usd_each bigint not null,
    primary key (model_id, credits_each)
);
INSERT INTO "prices" VALUES('google/nano-banana-2/text-to-image',0,50000);
CREATE TABLE rules (
    guild_id bigint not null,
    kind text not null,                  -- member, role, everybody or pool
    target_id bigint not null,           -- the member's or the role's, 0 for the others
    per text not null,
    credits integer not null check (credits between 0 and 1000000),
    set_by bigint not null,
    set_at bigint not null,
    primary key (guild_id, kind, target_id, per)
);
INSERT INTO "rules" VALUES(1576710218153197569,'everybody',0,'day',50,1576710218153197580,1795987412105);
CREATE TABLE usage (
    scope text not null,                 -- guild:<guild_id> or owner in credits, owner-usd in dollars
    starts_at bigint not null,
    used bigint not null check (used >= 0),
    primary key (scope, starts_at)
);
INSERT INTO "usage" VALUES('guild:1576710218153197569',1795986900000,850);
INSERT INTO "usage" VALUES('owner',1795986900000,850);
INSERT INTO "usage" VALUES('owner-usd',1795986900000,425000);
CREATE INDEX jobs_open on jobs (created_at)
where token is not null or status in ('waiting', 'submitting', 'in_queue', 'in_progress');
CREATE INDEX jobs_of_member on jobs (guild_id, user_id, created_at);
CREATE INDEX jobs_due on jobs (look_at) where look_at is not null;
CREATE INDEX jobs_of_guild on jobs (guild_id, created_at);
CREATE INDEX jobs_unpriced on jobs (cost_at) where cost_at is not null;
CREATE INDEX adjustments_of_guild on adjustments (guild_id, made_at);
CREATE INDEX jobs_of_message on jobs (message_id) where message_id is not null;
CREATE INDEX left_messages_of_job on left_messages (job_id);
COMMIT;

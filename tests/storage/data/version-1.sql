-- Data of version 1 of the schema, from 1970-01-01: all windows start at 0, except the week's on the Monday before.
insert into jobs (job_id, interaction_id, guild_id, channel_id, user_id, locale, token, asked_at, file_limit,
    message_id, model_id, input, images, refunded, unspent, status, request_id, created_at)
values ('job', 1, 10, 20, 30, 'en-US', 'token', 1, 100, 40, 'google/nano-banana-2/text-to-image',
    '{"prompt": "a fox"}', 3, 1, 1, 'in_progress', 'request', 1);
insert into usage (scope, period, window_start, used)
select scope, period, window_start, 2
from (select 'owner' as scope union all select 'member:10:30')
cross join (select 'hour' as period, 0 as window_start union all select 'day', 0 union all select 'month', 0
    union all select 'week', -259200000);
insert into quotas (guild_id, user_id, images, per, set_by, set_at) values (10, 0, 5, 'day', 30, 1);
insert into facts (name, value) values ('name', 'value');

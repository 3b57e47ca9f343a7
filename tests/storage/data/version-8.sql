-- Jobs as version 8 of the schema wrote them: failed or partial, and refunded at once. A template for `str.format`.
insert into jobs (job_id, interaction_id, guild_id, channel_id, user_id, locale, asked_at, file_limit,
    model_id, input, images, refunded, status, request_id, error, created_at, ended_at, look_at)
values ('{job_id}', {number}, {guild}, 20, {member}, 'en-US', 1, 100, 'google/nano-banana-2/text-to-image',
    '{{"prompt": "a fox"}}', 2, {refunded}, '{status}', 'request-{number}', '{error}', 1, 2, null);
insert into usage (scope, starts_at, used)
values ('guild:{guild}', 0, (2 - {refunded}) * 100), ('owner', 0, 200)
on conflict do update set used = used + excluded.used;

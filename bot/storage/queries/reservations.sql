-- name: insert!
insert into jobs (
    job_id, parent_id, interaction_id, guild_id, channel_id, user_id, locale, token, interaction_at,
    file_limit, model_id, input, text_option, image_count, is_private, is_spoiler, credits_each, usd_each, applied_limits,
    credits_left, credits_left_per, origin, input_files, preset, status, created_at, process_id
) values (
    :job_id, :parent_id, :interaction_id, :guild_id, :channel_id, :user_id, :locale, :token, :interaction_at,
    :file_limit, :model_id, :input, :text_option, :image_count, :is_private, :is_spoiler, :credits_each, :usd_each, :applied_limits,
    :credits_left, :credits_left_per, :origin, :input_files, :preset, :status, :created_at, :process_id
)
on conflict do nothing;

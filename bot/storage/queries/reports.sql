-- name: usage_by_member
-- Sums of each member's jobs between two times, by the limits that applied to them.
select
    user_id,
    applied_limits,
    count(*) as jobs,
    sum(case when status = 'failed' and uncollected_since is null then 1 else 0 end) as failed,
    sum(delivered) as images,
    cast(sum((image_count - refunded) * credits_each) as bigint) as spent,
    cast(sum(refunded * credits_each) as bigint) as refunded,
    cast(sum(
        case when status in ('failed', 'succeeded') and uncollected_since is not null
            then (image_count - refunded - delivered) * credits_each else 0 end
    ) as bigint) as uncollected,
    cast(sum(
        case when status = 'failed' and uncollected_since is null then image_count * credits_each else 0 end
    ) as bigint) as failed_credits,
    cast(sum(coalesce(cost, (image_count - budget_refunded) * coalesce(usd_each, 0))) as bigint) as usd
from jobs
where guild_id = :guild_id and created_at >= :since and created_at < :until
group by user_id, applied_limits
order by user_id, max(created_at);

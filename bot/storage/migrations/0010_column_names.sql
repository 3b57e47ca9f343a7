-- Columns by the names that the code uses.

alter table jobs rename column asked_at to interaction_at;
alter table jobs rename column images to image_count;
alter table jobs rename column unspent to budget_refunded;
alter table jobs rename column limited_by to applied_limits;
alter table jobs rename column look_at to next_check_at;
alter table jobs rename column looks to check_count;
alter table jobs rename column cost_at to next_cost_check_at;

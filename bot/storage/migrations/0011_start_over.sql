-- One adjustment can set usage back to 0 and give extra credits.

alter table adjustments add column start_over integer not null default 0;  -- 1: usage counts from made_at on

update adjustments set start_over = 1, credits = 0 where credits is null;

## /usage and /quota

usage-line = { $period }: { $used } of { $limit } { $limit ->
    [one] credit
   *[other] credits
} used, { $left } left { $bar } resets { $resets }
usage-line-pool = All members together · { $period }: { $used } of { $limit } { $limit ->
    [one] credit
   *[other] credits
} used, { $left } left { $bar } resets { $resets }
usage-uncollected = 📦 { $images ->
    [one] { $images } image is
   *[other] { $images } images are
} waiting to be collected ({ $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}). Get { $images ->
    [one] it
   *[other] them
} with /jobs.
usage-unlimited = Nothing limits you here.
usage-by-role = Your limit comes from the role { $who }.
usage-prices = { $option }, credits an image: { $prices }
usage-price = { $value ->
    [true] +{ $credits }
   *[other] { $value } – { $credits }
}
usage-hour = This hour
usage-day = Today
usage-week = This week
usage-month = This month
quota-of = { $limit ->
    [one] { $limit } credit per { $per }
   *[other] { $limit } credits per { $per }
}
unlimited = unlimited
quota-set-everybody = ✅ Everybody on this server may now spend { $quota }; roles and members with a limit of their own keep it.
quota-set-role = ✅ Whoever has { $who } may now spend { $quota }, unless another role or a limit of their own decides.
quota-set-member = ✅ { $who } may now spend { $quota }.
quota-set-pool = ✅ All members of this server together may now spend { $quota }.
quota-cleared-everybody = ✅ This server's limit is gone. What the bot's owner allows holds now: { $quota }.
quota-cleared-role = ✅ The limit of { $who } is gone. Without another role's or their own, they may spend what everybody may: { $quota }.
quota-cleared-member = ✅ { $who }'s own limit is gone. Without a role's, they may spend what everybody may: { $quota }.
quota-cleared-pool = ✅ The limit for all members together is gone. What the bot's owner allows holds now: { $quota }.
quota-nothing-to-clear = There was no limit to clear. What holds: { $quota }.
quota-granted = ✅ { $who } may spend { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
} more in each window that runs now.
quota-reset = ✅ { $who } starts again with nothing used.
quota-show-everybody = Everybody: { $quota }
quota-show-default = Everybody: { $quota } (set by the bot's owner)
quota-show-pool = All members together: { $quota }
quota-show-target = { $who }: { $quota }
quota-show-ceiling = The bot's owner allows a member at most { $quota }.
quota-show-pool-ceiling = The bot's owner allows all members together at most { $quota }.
quota-show-more = … and { $count } more.

## Charts and reports

decimal-point = .
chart-usage = Your credits
chart-report = Credits of the last { $count } days
chart-days = The last { $count } days
chart-day = { $month }/{ $day }
chart-left = { $left } left
chart-spent = spent
chart-failed = ordered, failed
chart-refunded = given back
chart-members = Who spent most
alt-usage = Credits you spent in the last { $count } days: { $days }.
alt-report = Credits spent in the last { $count } days: { $spent }. Who spent most: { $members }.
alt-day = { $day } { $credits }
alt-nothing = nothing
alt-left = { $period }: { $used } of { $limit } used, { $left } left.
report-total = { $orders ->
    [one] { $orders } order
   *[other] { $orders } orders
}, { $failed } failed · { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
} spent, { $refunded } given back · RunComfy charged { $usd }
report-uncollected = { $credits ->
    [one] { $credits } credit is
   *[other] { $credits } credits are
} for images waiting to be collected
report-member = { $who }: { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}, { $usd } · limit: { $quota } ({ $by })
dollars = ${ NUMBER($amount, minimumFractionDigits: 2, maximumFractionDigits: 2) }
report-more = … and { $count } more members: /quota export has them all.
limited-by-member = their own
limited-by-role = the role { $who }
limited-by-everybody = everybody's
limited-by-owner = the bot owner's

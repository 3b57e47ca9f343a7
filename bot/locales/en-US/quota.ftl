## /usage and /quota

usage-line = { $period }: { $used } of { $limit } { $limit ->
    [one] credit
   *[other] credits
} used, { $left } left { $bar } resets { $resets }
usage-line-pool = Shared limit · { $period }: { $used } of { $limit } { $limit ->
    [one] credit
   *[other] credits
} used, { $left } left { $bar } resets { $resets }
usage-line-zero = { $period }: your limit is 0 credits, so you can't generate images here.
usage-line-pool-zero = Shared limit · { $period }: 0 credits, so no one can generate images here.
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
usage-unlimited = You have no personal limit here.
usage-by-role = Your limit comes from the role { $who }.
usage-prices = { $option }, credits per image: { $prices }
usage-price = { $credits } ({ $value })
usage-added = { $value ->
    [true] +{ $credits }
   *[other] +{ $credits } ({ $value })
}
usage-flat = Credits per image: { $credits }
usage-hour = This hour
usage-day = Today
usage-week = This week
usage-month = This month
quota-of = { $limit ->
    [one] { $limit } credit per { $per }
   *[other] { $limit } credits per { $per }
}
unlimited = unlimited
quota-set-everyone = ✅ { $lowest ->
    [0] No one can generate images now ({ $quota }). Limits for roles and members still apply first.
   *[other] Everyone can now spend { $quota }. Limits for roles and members still apply first.
}
quota-set-role = ✅ { $lowest ->
    [0] Members with { $who } can't generate images now ({ $quota }), unless another role gives them more or they have a personal limit.
   *[other] Members with { $who } can now spend { $quota }, unless another role gives them more or they have a personal limit.
}
quota-set-member = ✅ { $lowest ->
    [0] { $who } can't generate images now ({ $quota }).
   *[other] { $who } can now spend { $quota }.
}
quota-set-pool = ✅ { $lowest ->
    [0] No one can generate images on this server now (shared limit: { $quota }).
   *[other] All members together can now spend { $quota }.
}
quota-cleared-everyone = ✅ Server limit removed. The bot's default applies: { $quota }.
quota-cleared-role = ✅ Limit of { $who } removed. Unless another role or a personal limit applies, its members have everyone's limit: { $quota }.
quota-cleared-member = ✅ Personal limit of { $who } removed. Unless a role's limit applies, they have everyone's limit: { $quota }.
quota-cleared-pool = ✅ Shared limit removed. The bot's default applies: { $quota }.
quota-cleared-deleted = ✅ Removed the limits of { $count ->
    [one] { $count } deleted role
   *[other] { $count } deleted roles
}.
button-clear-deleted = 🧹 Remove limits of deleted roles
quota-nothing-to-clear = There was no limit to remove. Current limit: { $quota }.
quota-granted = ✅ { $who }: { $credits ->
    [one] { $credits } extra credit
   *[other] { $credits } extra credits
} until the next reset.
quota-reset = ✅ { $who }: usage set back to 0.
quota-reset-granted = ✅ { $who }: usage set back to 0, plus { $credits ->
    [one] { $credits } extra credit
   *[other] { $credits } extra credits
} until the next reset.
quota-show-everyone = Everyone: { $quota }
quota-show-default = Everyone: { $quota } (bot default)
quota-show-pool = Shared limit: { $quota }
quota-show-target = { $who }: { $quota }
quota-show-ceiling = Highest limit the bot's owner allows: { $quota }
quota-show-pool-ceiling = Highest shared limit the bot's owner allows: { $quota }
quota-show-deleted = Limits of deleted roles, without effect: { $count }
quota-show-more = … and { $count } more

## Charts and reports

decimal-point = .
chart-usage = Your credits
chart-report = Credits in the last { $count } days
chart-report-month = Credits from { $first } to { $last }
chart-days = The last { $count } days
chart-day = { $month }/{ $day }
chart-left = { $left } left
chart-spent = spent
chart-failed = failed
chart-refunded = refunded
chart-members = Top members
alt-usage = Credits you spent in the last { $count } days: { $days }.
alt-report = { $title }. Spent: { $spent }. Top members: { $members }.
alt-day = { $day } { $credits }
alt-nothing = nothing
alt-left = { $period }: { $used } of { $limit } used, { $left } left.
report-total = { $requests ->
    [one] { $requests } request
   *[other] { $requests } requests
}, { $failed } failed · { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
} spent, { $refunded } refunded · cost { $usd }
report-uncollected = { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
} for images not collected yet
report-member = { $who }: { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}, { $usd } · limit: { $quota } ({ $by })
dollars = ${ NUMBER($amount, minimumFractionDigits: 2, maximumFractionDigits: 2) }
report-more = … and { $count } more, all in the CSV of /quota report
limited-by-member = personal
limited-by-role = { $who }
limited-by-everyone = everyone
limited-by-owner = bot default

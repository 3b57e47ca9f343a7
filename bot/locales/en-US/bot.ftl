# Times are inserted as Discord timestamps, which stay correct without an edit.
#
# A key's prefix tells where its text is shown, and so its maximum length in every language:
#   command- 100   description of a command, group or option: command-quota-set-limit is /quota set's limit
#   choice-  100   a choice of an option, by its value     menu-        32   a context menu, by its English name
#   button-   80   numbered- 80                            alt-       1024   the description of an image
#   modal-    45   a title                                 label-       45   of a field
#   section- 100   a part of a panel
#   select-  100   choose- 100  a line to choose           placeholder- 100  hint- 100  beside a field
# All other texts are messages, or parts of one, of at most 2000.

## Messages of jobs

status-waiting = 🕒 Waiting · ordered { $since }
status-in-queue = 🕒 { $place ->
    [0] Waiting in the queue
   *[other] Waiting in the queue, place { $place }
} · ordered { $since }
status-held-up = 🕒 RunComfy is not answering. Your order waits, and goes on by itself · ordered { $since }
status-painting = 🎨 Painting · started { $since }
status-painting-usually = 🎨 Painting · started { $since } (usually about { $usual })
roughly-seconds = { $count } s
roughly-minutes = { $count } min
status-succeeded = ✅ { $images ->
    [one] { $images } image
   *[other] { $images } images
} in { $seconds } s
status-fetched = ✅ { $images ->
    [one] { $images } image
   *[other] { $images } images
}, collected
status-cancelled = ✖️ { $by ->
    [nobody] The job was cancelled before it began.
   *[other] Job cancelled by { $by } before it began.
} Nothing was charged.
nothing-charged = Nothing was charged.
images-given-back = { $delivered } of { $ordered } images came; { $missing ->
    [one] the other one was given back.
   *[other] the other { $missing } were given back.
}
images-uncollected = { $delivered } of { $ordered } images arrived; { $missing ->
    [one] 1 more is
   *[other] { $missing } more are
} waiting to be collected. Press Fetch the images to try again.
images-not-made = { $missing ->
    [one] 1 image wasn't made, so you were refunded for it.
   *[other] { $missing } images weren't made, so you were refunded for them.
}
may-be-collected = Your images might still be ready: press Fetch the images to check.
file-made-smaller = Image { $number } is shown as { $format }, { $width }×{ $height }, { $size } MB: the original { $original } had { $originalsize } MB, and { $limit } MB fit here.
sent-directly = Your images, since their message can no longer be reached:
told-directly = This came of your order, whose message can no longer be reached:
words-refused = (These words are not shown: the server's AutoMod refuses them.)
cut-prompt = The whole prompt is in prompt.txt.
asked-by = asked by { $member }
seed = seed { $seed }
option-value = { $option }: { $value }
option-on = { $option }: yes
option-off = { $option }: no
images = { $count ->
    [one] { $count } image
   *[other] { $count } images
}

button-cancel = Cancel
button-reroll = Re-roll · { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}
button-retry = Retry · { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}
button-edit = Edit prompt
button-fetch = Fetch the images
button-delete = Delete
button-confirm = Delete
button-keep = Keep
button-remove = Remove
button-block = Remove and block
numbered-cancel = Cancel { $number }
numbered-fetch = Fetch { $number }

## Failures, shown in the job's message

prompt-refused = ⚠️ The image service refused this prompt or its options. Press Edit prompt to change them.
runcomfy-unavailable = ⚠️ RunComfy is not answering. Try again in a few minutes.
submission-unknown = ⚠️ It is not known whether RunComfy took the order, so it was not sent again. Press Retry to order it anew.
request-not-found = ⚠️ RunComfy no longer knows this order. Press Retry to order it anew.
generation-failed = ⚠️ I couldn't generate this. Press Retry, or Edit prompt to try different words.
generation-timeout = ⚠️ This is taking too long, so I've stopped waiting. I'll check again later; to check now, press Fetch the images.
output-unavailable = ⚠️ Your images are ready, but I couldn't download them. They're waiting to be collected: press Fetch the images to try again.
delivery-failed = ⚠️ Your images are ready, but I couldn't post them. They're waiting to be collected: press Fetch the images.
not-collected = ⚠️ These images didn't arrive and can't be collected anymore. Press Retry to generate them again.
operator = ⚠️ This bot cannot paint at the moment. That is its owner's to mend, who finds the reason in the log.
unexpected = ⚠️ Something went wrong here (reference { $reference }). Try again; if it stays, tell the bot's owner this reference.

## The form of Edit prompt

modal-edit = Edit prompt
hint-prompt-hidden = The original prompt is shown only to the person who wrote it.
hint-prompt-cut = Only the first { NUMBER($most) } of { NUMBER($length) } characters fit here. For a longer prompt, use the command.

## Refusals, shown to one person

form-outdated = ⚠️ This form is out of date. Press Edit prompt again.

invalid-option = ⚠️ The option { $option } { $problem }. Nothing was ordered.
problem-missing = must be given
problem-empty = must not be empty
problem-not-string = must be text
problem-not-integer = must be a whole number
problem-not-number = must be a number
problem-not-boolean = must be true or false
problem-enum = must be one of { $choices }
problem-minimum = must be at least { $wanted }
problem-maximum = must be at most { $wanted }
problem-exclusiveMinimum = must be more than { $wanted }
problem-exclusiveMaximum = must be less than { $wanted }
problem-multipleOf = must be a multiple of { $wanted }
problem-minLength = must have at least { $wanted ->
    [one] { $wanted } character
   *[other] { $wanted } characters
}
problem-maxLength = must have at most { $wanted ->
    [one] { $wanted } character
   *[other] { $wanted } characters
}
problem-const = must be { $wanted }
problem-other = is not allowed here
quota-exceeded = { $fits ->
    [forbidden] ⏳ Your limit here is 0 credits per { $per }, 0 left (resets { $resets }). Somebody who manages this server can change it with /quota set.
   *[other] ⏳ You have used { $used } of { $limit } { $limit ->
        [one] credit
       *[other] credits
    } { $per ->
        [hour] this hour
        [day] today
        [week] this week
       *[month] this month
    }, { $left } left, resets { $resets }. { $fits ->
        [later] This order costs { $wanted }: come back then, or ask for fewer or smaller images.
        [never] This order costs { $wanted }, which is more than the limit: ask for fewer or smaller images.
       *[used-up] This order costs { $wanted }: come back then.
    }
}
pool-exceeded = { $fits ->
    [forbidden] ⏳ This server may spend 0 credits per { $per } (resets { $resets }). Somebody who manages it can change that with /quota pool.
   *[other] ⏳ All members here together have used { $used } of { $limit } { $limit ->
        [one] credit
       *[other] credits
    } { $per ->
        [hour] this hour
        [day] today
        [week] this week
       *[month] this month
    }, { $left } left, resets { $resets }. { $fits ->
        [used-up] This order costs { $wanted }: come back then.
       *[other] This order costs { $wanted }: ask for fewer or smaller images, or come back then.
    }
}
budget-exceeded = ⏳ This bot's budget for all servers is used up. Its owner has set it; more { $resets }.
price-unknown = ⏳ RunComfy has not told this bot yet what an image costs, and its owner has set a budget in dollars. Nothing was charged; try again in a minute.
cost-not-learned = ⚠️ RunComfy charged ${ $cost } for one job of { $model }; I expected at most ${ $highest }. It counts toward this month's budget but doesn't change the estimates for other jobs, so check your RunComfy bill.
price-not-believed = ⚠️ RunComfy lists { $model } at ${ $price } per image, which can't be right. I'm ignoring that price; check the model's page.
budget-alarm = ⚠️ ${ $spent } of this month's ${ $budget } (BUDGET_USD) are spent or ordered. When nothing is left, this bot takes no more orders until the first of next month.
quota-too-high = ⚠️ That is more than this bot's owner allows: { $maximum }. Choose a lower limit.
job-not-found = ⚠️ There is no such job here. Start a new one with /imagine.
job-unknown = ⚠️ This button belongs to another copy of this bot, or to a database that was replaced. Ask the bot's owner.
no-such-command = ⚠️ This command is gone: the bot has been updated. Restart Discord to see the new commands.
not-your-job = ⚠️ This job is somebody else's. Only they can do this, or somebody who may manage messages.
not-now = ⚠️ This job has moved on, so there is nothing to do here. Look at its message as it is now.
collecting-over = ⚠️ These images can't be collected anymore. You were refunded; use /imagine to generate them again.
still-running = 🎨 This job is not done yet. Cancel it, or delete its images once they are all there.
not-removed = ⚠️ Discord does not let me take the message away now. It is noted: I try again, and nothing of it is posted any more. Press Delete again, or ask somebody who may manage messages.
not-an-image = ⚠️ This message shows no image of mine. Choose one that does.
already-painting = 🎨 Already painting, RunComfy cannot stop it. It will be posted when it is done.
forbidden-here = ⚠️ You may not use this here. Ask somebody who manages this server; they can ask the bot's owner.
missing-permissions = ⚠️ I cannot post images in this channel: I need { $permissions } here. Ask somebody who manages this server, or use another channel. Nothing was ordered.
permission-view_channel = View Channel
permission-embed_links = Embed Links
permission-attach_files = Attach Files
runcomfy-down = ⚠️ RunComfy, which makes the images, is not answering. Nothing was charged; try again in a few minutes.
stopping = ⚠️ The bot is restarting. Nothing was charged; try again in a minute.
busy = ⚠️ The bot is busy. Nothing was charged; try again in a minute.

## /jobs

jobs-waiting = { $number }. 🕒 Waiting · ordered { $when } · [{ $prompt }]({ $link })
jobs-painting = { $number }. 🎨 Painting · ordered { $when } · [{ $prompt }]({ $link })
jobs-fetchable = { $number }. 📦 Waiting to be collected · ordered { $when } · { $prompt }
jobs-none = You have no unfinished jobs here. Start one with /imagine.
jobs-cancelled = ✖️ The job is cancelled. Nothing was charged.

## Deleting images, and who made them

delete-ask = 🗑️ Delete { $images ->
    [one] this image
   *[other] these images
} for good? Nothing brings them back, and what they cost is not given back.
remove-ask = 🗑️ Remove this message of { $member } with its images for good? Nothing brings them back.
deleted = 🗑️ Deleted.
deleted-and-blocked = 🗑️ Deleted. { $member } makes no more images on this server; /settings lets them again.
about-made = Ordered by { $member } · { $when }
about-price = { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}
about-price-back = { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}, { $returned } of them given back
about-again = Made again from [an earlier order]({ $link })
about-again-gone = Made again from an earlier order, which was deleted
about-deleted = Deleted by { $member } · { $when }

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

## Commands, as Discord lists them

command-jobs = See your unfinished jobs, and fetch images that never reached you
command-usage = See how many credits you have used, how many are left, and what images cost
command-quota = Who may spend how many credits on this server
command-quota-set = Limit the credits of everybody here, of a role or of one member
command-quota-set-limit = How many credits, 0 forbids them; one credit is one 1K image
command-quota-set-per = In which time
command-quota-set-who = A member or a role, instead of everybody
command-quota-pool = Limit the credits that all members together may spend
command-quota-pool-limit = How many credits, 0 forbids them; one credit is one 1K image
command-quota-pool-per = In which time
command-quota-clear = Remove the limits of everybody here, of a role, of a member or of all together
command-quota-clear-who = A member or a role, instead of everybody
command-quota-clear-pool = What all members together may spend
command-quota-grant = Give a member, or each member with a role, credits on top of their limits
command-quota-grant-who = A member or a role
command-quota-grant-amount = How many credits, in each window that runs now
command-quota-reset = Let a member, or each member with a role, start again with nothing used
command-quota-reset-who = A member or a role
command-quota-show = See every limit on this server, and who has used what this month
command-quota-export = Get a table of what each member has used in a month
command-quota-export-months_ago = 0 is this month, 1 the month before, and so on
command-quota-report = See the last 30 days and who spent most, as a picture and a table
choice-hour = hour
choice-day = day
choice-week = week
choice-month = month
menu-remove-image = Remove image
menu-who-made-this = Who made this

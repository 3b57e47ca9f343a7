# Errors and refusals, shown to one person

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

# Errors and refusals, shown to one person

question-expired = ⚠️ This question has expired. Make the request again.
your-text = Your text
unreadable = ⚠️ I couldn't read what Discord sent me. Try again.
form-outdated = ⚠️ This form is out of date. Press the button again.

invalid-option = ⚠️ The option { $option } { $problem }.
problem-missing = is required
problem-empty = can't be empty
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
problem-no-pictures = takes no pictures
problem-too-many-pictures = takes at most { $wanted ->
    [one] 1 picture
   *[other] { $wanted } pictures
}
problem-too-few-pictures = needs at least { $wanted ->
    [one] 1 picture
   *[other] { $wanted } pictures
}
problem-other = is not allowed here
pictures-too-big = ⚠️ These pictures add up to { $size } MB, but the limit is { $most } MB. Try smaller or fewer ones.
no-picture = ⚠️ That message doesn't have any pictures. Choose one that does.
no-edit-model = ⚠️ Editing images isn't available here.
no-higher-resolution = ⚠️ This image already has the highest resolution that's available here.
edit-expired = ⚠️ I no longer know which picture this form was for. Choose Edit image again.
not-a-picture = ⚠️ { $file } isn't a picture. Attach a PNG, JPEG, WebP or GIF file.
quota-exceeded = { $fits ->
    [forbidden] ⏳ You can't generate images here: your limit is 0 credits. A server manager can change it with /quota set.
    [used-up] ⏳ You're out of credits { $per ->
        [hour] for this hour
        [day] for today
        [week] for this week
       *[month] for this month
    }: 0 left of your { $limit ->
        [one] { $limit } credit
       *[other] { $limit } credits
    }. Your limit resets { $resets }.
    [never] ⏳ This costs { $wanted ->
        [one] { $wanted } credit
       *[other] { $wanted } credits
    }, but your limit is { $limit ->
        [one] { $limit } credit
       *[other] { $limit } credits
    } per { $per } ({ $left } left, resets { $resets }). Try fewer or smaller images.
   *[later] ⏳ This costs { $wanted ->
        [one] { $wanted } credit
       *[other] { $wanted } credits
    }, but you have only { $left } left of your { $limit ->
        [one] { $limit } credit
       *[other] { $limit } credits
    } { $per ->
        [hour] this hour
        [day] today
        [week] this week
       *[month] this month
    }. Try fewer or smaller images, or wait: your limit resets { $resets }.
}
pool-exceeded = { $fits ->
    [forbidden] ⏳ This server can't generate images: its shared limit is 0 credits. A server manager can change it with /quota set.
    [used-up] ⏳ This server is out of shared credits { $per ->
        [hour] for this hour
        [day] for today
        [week] for this week
       *[month] for this month
    }: 0 left of { $limit ->
        [one] { $limit } credit
       *[other] { $limit } credits
    }. The shared limit resets { $resets }.
    [never] ⏳ This costs { $wanted ->
        [one] { $wanted } credit
       *[other] { $wanted } credits
    }, but this server's shared limit is { $limit ->
        [one] { $limit } credit
       *[other] { $limit } credits
    } per { $per } ({ $left } left, resets { $resets }). Try fewer or smaller images.
   *[later] ⏳ This costs { $wanted ->
        [one] { $wanted } credit
       *[other] { $wanted } credits
    }, but all members together have only { $left } left of { $limit ->
        [one] { $limit } credit
       *[other] { $limit } credits
    } { $per ->
        [hour] this hour
        [day] today
        [week] this week
       *[month] this month
    }. Try fewer or smaller images, or wait: the shared limit resets { $resets }.
}
budget-exceeded = ⏳ I've reached the spending limit set by the bot's owner. It resets { $resets }.
price-unknown = ⏳ I don't know the current price yet. Try again in a minute. You weren't charged.
cost-unexpected = ⚠️ RunComfy charged ${ $cost } for one job of { $model }, but I expected at most ${ $highest }. It counts toward this month's budget. Check your RunComfy bill, and highest_multiple in the model's file.
price-not-believed = ⚠️ RunComfy lists { $model } at ${ $price } per image, which can't be right, so I'm ignoring it. Check the model's page.
model-hidden = ⚠️ I've hidden /{ $command }, because its requests would fail: { $reason }. Run python -m bot models check for details.
model-failing = ⚠️ Requests with /{ $command } will probably fail: { $reason }. Run python -m bot models check for details.
budget-alarm = ⚠️ You've used ${ $spent } of this month's ${ $budget } (BUDGET_USD), including jobs in progress. When that runs out, I'll stop generating images until the 1st.
quota-who-together = ⚠️ A shared limit covers the whole server. Choose either who or together.
quota-grants-nothing = ⚠️ Enter an amount, or set start_over to True.
quota-too-high = ⚠️ The highest limit the bot's owner allows is { $maximum }. Choose a lower one (5 per hour counts as 120 per day).
job-not-found = ⚠️ I can't find that request. Start a new one with /imagine.
job-unknown = ⚠️ This button doesn't work anymore: it's from another copy of this bot, or the bot's data was replaced. Start a new request with /imagine, or ask the bot's owner.
no-such-command = ⚠️ This command no longer exists because the bot was updated. Restart Discord to see the current commands.
not-your-job = ⚠️ Only the person who made this request or a moderator can do that.
not-now = ⚠️ That button is out of date. Check the message again.
collecting-over = ⚠️ These images can't be collected anymore, and you were refunded. Use /imagine to generate them again.
still-running = 🎨 This one is still in progress. You can delete it once it's done.
not-removed = ⚠️ Discord won't let me delete that message right now. I'll keep trying; a moderator can also delete it by hand.
not-an-image = ⚠️ That message doesn't have any of my images. Choose one that does.
original-gone = ⚠️ I no longer have the original. You can still save the image from the message.
original-too-big = ⚠️ The original is { $size } MB, but the limit here is { $most } MB.
text-removed = ⚠️ I no longer have this request's prompt and options. Start a new one with /imagine.
download-failed = ⚠️ Discord didn't accept the file. Try again in a minute.
already-generating = 🎨 It's already being generated, so it can't be canceled. I'll post it when it's ready.
forbidden-here = ⚠️ You don't have permission to use this here. Ask a server manager or the bot's owner.
missing-permissions = ⚠️ I can't post images here. I'm missing these permissions: { $permissions }. Ask a server manager, or try another channel.
permission-view_channel = View Channel
permission-embed_links = Embed Links
permission-attach_files = Attach Files
model-unavailable = ⚠️ This model isn't available right now. Try another one. You weren't charged.
runcomfy-down = ⚠️ The image service isn't responding. Try again in a few minutes. You weren't charged.
paused = ⚠️ The bot's owner has paused new images. Try again later. You weren't charged.
stopping = ⚠️ I'm restarting. Try again in a minute. You weren't charged.
busy = ⚠️ I'm too busy right now. Try again in a minute. You weren't charged.

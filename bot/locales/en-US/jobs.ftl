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

## /jobs

jobs-waiting = { $number }. 🕒 Waiting · ordered { $when } · [{ $prompt }]({ $link })
jobs-painting = { $number }. 🎨 Painting · ordered { $when } · [{ $prompt }]({ $link })
jobs-fetchable = { $number }. 📦 Waiting to be collected · ordered { $when } · { $prompt }
jobs-none = You have no unfinished jobs here. Start one with /imagine.
jobs-cancelled = ✖️ The job is cancelled. Nothing was charged.

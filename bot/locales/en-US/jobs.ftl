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

status-waiting = 🕒 Waiting to start · { $since }
status-in-queue = 🕒 { $place ->
    [0] In queue
   *[other] In queue, #{ $place }
} · { $since }
status-service-down = 🕒 The image service isn't responding. Your request is saved and will continue automatically · { $since }
status-paused = ⏸️ The bot's owner has paused new images. Your request is saved and will continue automatically · { $since }
status-generating = 🎨 Generating · started { $since }
status-generating-usually = 🎨 Generating · started { $since } (usually about { $usual })
roughly-seconds = { $count } s
roughly-minutes = { $count } min
status-collected = collected
image-place = ({ $number } of { $count })
status-canceled = ✖️ { $by ->
    [none] Canceled.
   *[other] Canceled by { $by }.
} You weren't charged.
not-charged = You weren't charged.
images-refunded = { $delivered } of { $total } images arrived. You were refunded for { $missing ->
    [one] the other one.
   *[other] the other { $missing }.
}
images-uncollected = { $delivered } of { $total } images arrived. Press Get images for { $missing ->
    [one] 1 more.
   *[other] { $missing } more.
}
images-not-made = { $missing ->
    [one] 1 image couldn't be generated, and you were refunded for it.
   *[other] { $missing } images couldn't be generated, and you were refunded for them.
}
may-be-collected = Your images might be ready anyway. Press Get images to check.
file-compressed = Image { $number } was compressed to { $format } ({ $width }×{ $height }, { $size } MB). The original { $original } is { $originalsize } MB; this server's limit is { $limit } MB.
sent-directly = I couldn't post these in the channel, so here they are:
notified-directly = An update on your request (I can't reach its message):
alt-before = Before
alt-after = After: { $prompt }
prompt-removed = (Prompt no longer stored)
prompt-hidden = (Prompt hidden by AutoMod)
cut-prompt = The full prompt is in prompt.txt.
requested-by = by { $member }
cost = { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}
credits-left = { $left } left { $per ->
    [hour] this hour
    [day] today
    [week] this week
   *[month] this month
}
origin = from [an earlier request]({ $link })
seed = seed { $seed }
option-value = { $option }: { $value }
option-on = { $option }: on
option-off = { $option }: off
images = { $count ->
    [one] { $count } image
   *[other] { $count } images
}
from-pictures = from { $count ->
    [one] { $count } picture
   *[other] { $count } pictures
}
confirm-cost = This request costs { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
}, and you have { $left } left { $per ->
    [hour] this hour
    [day] today
    [week] this week
   *[month] this month
}. Generate it?

button-generate = Generate
button-dismiss = Cancel
button-cancel = Cancel
button-reroll = Re-roll
button-retry = Retry
button-edit-prompt = Edit prompt
button-remix = Remix
button-edit = Edit
button-edit-message = Edit image
button-vary = Vary
button-upscale = Upscale
button-upscale-to = Upscale to { $resolution }
button-info = Info
button-download = Download
button-collect = Get images
button-delete = Delete
button-unblock = Undo block
button-refresh = Refresh
numbered-cancel = Cancel { $number }
numbered-collect = Get images { $number }

## Failures, shown in the job's message

prompt-refused = ⚠️ The image service blocked this prompt, probably because of its safety filter. Press Edit prompt to reword it.
prompt-or-picture-refused = ⚠️ The image service refused this prompt or a picture, probably because of its safety filter. Press Edit prompt to reword it, or start over with another picture.
picture-refused = ⚠️ The image service blocked this, probably because of its safety filter. Press Re-roll to try again.
picture-failed = ⚠️ I couldn't generate this. Press Retry to try again.
runcomfy-unavailable = ⚠️ The image service isn't responding. Try again in a few minutes.
submission-unknown = ⚠️ The connection dropped before your request was confirmed. Press Retry to try again.
input-unavailable = ⚠️ I couldn't load a picture for this request. Press Retry to try again.
input-gone = ⚠️ A picture for this request is no longer available. Start a new request and attach the picture again.
input-empty = ⚠️ An attached picture is an empty file (0 bytes). Start a new request and attach it again, or use another file.
input-too-large = ⚠️ An attached picture is too large. Start a new request with one of up to 20 MB.
input-not-a-picture = ⚠️ I can't open a picture for this request. Start a new one with a PNG, JPEG or GIF of up to 64 megapixels, or a WebP of up to 24.
request-not-found = ⚠️ This request has expired. Press Retry to start over.
generation-failed = ⚠️ I couldn't generate this. Press Retry, or Edit prompt to reword it.
generation-timeout = ⚠️ This is taking too long, so I stopped waiting. I'll check again later; press Get images to check now.
output-unavailable = ⚠️ Your images are ready, but I couldn't download them. Press Get images to try again.
delivery-failed = ⚠️ Your images are ready, but I couldn't post them. Press Get images to try again.
not-collected = ⚠️ These images never arrived and can't be collected anymore. Press Retry to generate them again.
operator = ⚠️ I can't generate images right now. The bot's owner needs to fix this (see the bot's log).
unexpected = ⚠️ Something went wrong (code { $reference }). Try again, and if it keeps happening, send the code to the bot's owner.

## The form of Remix and Edit prompt

hint-prompt-hidden = Only its author can see the original prompt.
hint-preset = Leave empty to keep the instruction.
hint-price = { $credits ->
    [one] { $credits } credit
   *[other] { $credits } credits
} per image
hint-prompt-cut = Only the first { NUMBER($most) } of { NUMBER($length) } characters fit. For longer prompts, use the command.

## The forms of Edit, Vary and Upscale

label-instruction = What should change?
placeholder-instruction = For example: make it night
label-strength = How different should it be?
choose-subtle = Subtle: change small details
choose-strong = Strong: change composition and details
label-image = Image
choose-image = Image { $number }
label-file = The image (I no longer have it)

## What people see instead of a fixed prompt

preset-vary-subtle = Subtle variation
preset-vary-strong = Strong variation
preset-upscale = Upscaled to { $resolution }

## /jobs

jobs-waiting = { $number }. 🕒 { $place ->
    [0] In queue
   *[other] In queue, #{ $place }
} · { $when } · [{ $prompt }]({ $link })
jobs-generating = { $number }. 🎨 Generating · { $when } · [{ $prompt }]({ $link })
jobs-uncollected = { $number }. 📦 Ready to collect · { $when } · { $prompt }
jobs-none = You have nothing in progress here. Start with /imagine.
jobs-canceled = ✖️ Canceled. You weren't charged.

## /help

command-help = See what you can do here, what images cost, and what I store
help-here = What you can do here
help-channels-all = Channels: all
help-channels = Channels: { $channels }
help-channels-except = Channels: all except { $channels }
help-images = up to { $count ->
    [one] { $count } image
   *[other] { $count } images
} per request
help-resolution = up to { $highest }
help-words = This server blocks some words in prompts.
help-private = Only you can see your images.
help-limits = Your limits
help-credits = Credits
help-credits-explained = Limits are counted in credits: one 1K image costs 1 credit. You're refunded for canceled requests and for images that couldn't be generated.
help-commands = Commands
help-menus = Right-click or long-press a message, then Apps: { $menus }
help-member-menus = Right-click or long-press a member, then Apps: { $menus }
help-buttons = Buttons
help-buttons-explained =
    🔄 Re-roll · same prompt, new seed
    🎛️ Remix · change the prompt and options
    🖌️ Edit · say what to change in the image
    ✨ Vary · a subtle or strong variation
    🔍 Upscale · the next resolution
    💾 Download · the original file
    🔎 Info · everything about a request
    🔁 Retry · send a failed request again
    ✏️ Edit prompt · reword a request that failed
    Cancel · until generation starts
    📥 Get images · collect what didn't arrive
    🗑️ Delete · remove the message and its images
help-data = Your data
help-data-explained =
    I store your requests (prompt, options, your user ID, channel, time and cost) and send prompts and the pictures you attach to the image service. I keep these pictures and your images for a few days, so you can edit them later. I don't read your other messages.
    To delete images, press Delete below them; my copies go too. A record of the request stays. /privacy shows, exports and deletes everything.

## The greeting of a server

greeting = 👋 I turn your words into images. Try { $imagine }, or { $help } to see what you can do here. Server managers set rules with { $settings } and limits with { $quota }.

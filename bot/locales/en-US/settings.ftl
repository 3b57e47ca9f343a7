## Refusals by a server's rules, shown to one person

member-blocked = ⚠️ You've been blocked from generating images on this server. Contact a { $by ->
    [moderator] moderator
   *[other] server manager
} if this is a mistake.
role-needed = ⚠️ To generate images here, you need one of these roles: { $roles }. Ask a server manager.
channel-forbidden = { $channels ->
    [none] ⚠️ I can't generate images in this channel. Try another one.
   *[other] ⚠️ I can't generate images in this channel. Try { $channels }.
}
model-forbidden = ⚠️ { $command } is turned off on this server. Try another command.
model-role-needed = ⚠️ To use { $command } here, you need one of these roles: { $roles }. Ask a server manager.
pictures-forbidden = ⚠️ Editing images and attaching pictures is turned off on this server. Try /imagine.
picture-role-needed = ⚠️ To edit images or attach pictures here, you need one of these roles: { $roles }. Ask a server manager.
resolution-forbidden = ⚠️ This server's maximum resolution is { $highest }. Choose that or a lower one.
too-many-images = ⚠️ This server allows at most { $most ->
    [one] { $most } image
   *[other] { $most } images
} per request.
web-search-forbidden = ⚠️ Web search isn't allowed on this server. Try again without it.
safety-forbidden = ⚠️ On this server, { $option } must be from { $lowest } to { $highest }.
words-forbidden = ⚠️ Your prompt contains a blocked word. Reword it and try again.
pattern-too-slow = ⚠️ One of this server's word patterns is too slow. Try a shorter prompt, or ask a server manager to simplify it in /settings.
bad-pattern = ⚠️ Line { $line } isn't a valid regex (is a bracket missing?).
too-many-words = ⚠️ That's too long: at most { $most } characters in total and { $longest } per line.
not-a-channel = ⚠️ Choose channels of this server, not categories or threads.
not-age-restricted = ⚠️ { $channel } isn't age-restricted in Discord, so it can't be looser than the rest of the server.
safety-range = ⚠️ The strictest safety tolerance ({ $strictest }) can't be above the loosest ({ $loosest }). Change the other one first.
no-such-zone = ⚠️ I don't know the time zone “{ $zone }”. Try a large city nearby, such as Berlin, or an offset, such as UTC+3.
safety-no-effect = ⚠️ That would have no effect: { $channel } already allows up to { $level }, like the rest of the server.
block-no-effect = ⚠️ Blocking { $channels } would have no effect: I only work in the allowed channels.
allow-no-effect = ⚠️ Allowing { $channels } would have no effect: blocking takes precedence. Unblock first.
default-not-taken = ⚠️ The option { $option } doesn't accept that value.
log-closed = ⚠️ I can't write in { $channel }. I'm missing these permissions: { $permissions }. Add them in the channel's settings, or choose another channel.
permission-send_messages = Send Messages
blocked-full = ⚠️ This server has already blocked { $most } members, the maximum, so nothing was removed. Remove only the message, or ask a server manager to unblock someone in /settings.
draft-lost = ⚠️ I no longer have what you typed. Fill in the form again.
setting-unknown = ⚠️ This panel is out of date. Run /settings again.

## /settings: current values

settings-title = Server settings: { $section }
settings-footer = { $count ->
    [0] All at their defaults
    [one] { $count } setting changed
   *[other] { $count } settings changed
} · server time { $time }
settings-refused = { $problem } Nothing was saved.
changed-section = { $section } · { $count } changed
section-channels = Channels
section-people = People
section-images = Images
section-models = Models
section-pictures = Pictures as input
section-safety = Safety
section-words = Blocked words
section-results = Results
section-defaults = Default options
section-server = Time zone and log
setting-allowed_channels = Allowed channels: { $value }
setting-forbidden_channels = Blocked channels: { $value }
setting-allowed_roles = Allowed roles: { $value }
setting-blocked_members = Blocked members: { $value }
setting-highest_resolution = Maximum resolution: { $value }
setting-most_images = Maximum images per request: { $value }
setting-may_search_web = Web search: { $value }
setting-forbidden_models = Turned off: { $value }
setting-model_roles = Models limited to roles: { $value }
setting-may_use_pictures = Editing images and attaching pictures: { $value }
setting-picture_roles = Roles that can use pictures: { $value }
setting-strictest_safety = Strictest safety tolerance: { $value }
setting-loosest_safety = Loosest safety tolerance: { $value }
setting-channel_safety = Channel exceptions: { $value }
setting-no-effect = ⚠️ The exception has no effect in { $channels }: the server's limit applies there.
setting-forbidden_words = Blocked words: { $value }
setting-is_spoiler = Spoilers: { $value }
setting-is_private = Images are visible to: { $value }
setting-default_options = Default options: { $value }
setting-timezone = Time zone: { $value }
setting-log_channel = Log: { $value }
value-plain = { $value }
value-all = all
value-none = none
value-on = on
value-off = off
value-option = `{ $option }` { $value }
value-any = no limit
value-allowed = allowed
value-forbidden = not allowed
value-pictures-allowed = allowed
value-pictures-forbidden = not allowed
value-model-roles = { $model } for { $roles }
value-hidden = on (images are hidden until clicked)
value-private = only the requester
value-public = everyone in the channel
value-as-elsewhere = same as elsewhere
value-of-model = model default
value-channel-safety = { $channel } up to { $level }
value-words = { $count ->
    [0] none
    [one] { $count } word or pattern
   *[other] { $count } words or patterns
}
value-more = { $count } more

## /settings: controls and forms

placeholder-section = Choose a section
placeholder-allowed_channels = Allowed channels (none = all)
placeholder-forbidden_channels = Blocked channels
placeholder-allowed_roles = Allowed roles (none = all)
placeholder-blocked_members = Blocked members
placeholder-pick-channel = Exception: choose a channel
placeholder-pick-option = Choose an option
placeholder-pick-model = Only for roles: choose a model
placeholder-forbidden_models = Models to turn off (none = all on)
placeholder-model_roles = Its roles (none = everyone)
placeholder-picture_roles = Roles for pictures (none = all)
placeholder-log_channel = Log channel (none = off)
offer-highest_resolution = Max resolution: { $value }
offer-most_images = Max images: { $value }
offer-may_search_web = Web search: { $value }
offer-may_use_pictures = Pictures: { $value }
offer-strictest_safety = Strictest safety: { $value }
offer-loosest_safety = Loosest safety: { $value }
offer-channel_safety = Loosest in { $channel }: { $value }
offer-is_spoiler = Spoilers: { $value }
offer-is_private = Visible to: { $value }
offer-default_options = { $option }: { $value }
button-reopen = Edit
button-edit-forbidden_words = Edit words
button-edit-timezone = Change time zone
button-edit-default_options = Set { $option }
modal-forbidden_words = Blocked words
modal-timezone = Time zone
modal-default_options = Default value
label-forbidden_words = One word or phrase per line
label-timezone = Time zone
label-default_options = Value
hint-forbidden_words = Whole words, case doesn't matter. Use /…/ for a regex: /f[o0]x/
hint-timezone = A city or an offset, such as Berlin or UTC+3. Limits reset at midnight there.
hint-default_options = Used when no value is given. Leave empty to use the model's default.

## The audit log

log-delivered = 🖼️ { $member } generated { $images ->
    [one] { $images } image
   *[other] { $images } images
}: { $prompt } { $link }
log-canceled = ✖️ { $by } canceled { $member }'s request: { $prompt }
log-deleted = 🗑️ { $by } deleted { $member }'s images: { $prompt }
log-blocked = ⛔ { $by } blocked { $member }
log-unblocked = ✅ { $by } unblocked { $member }
log-changed = ⚙️ { $member } changed { $before } → { $after }
log-quota = 📏 { $member } used /quota: { $change }

## Commands, as Discord lists them

command-settings = Configure the bot: channels, roles, safety, log

## Refusals by a server's rules, shown to one person

member-blocked = ⚠️ You may not make images on this server any more. Its managers have decided so; ask them.
role-needed = ⚠️ To make images on this server you need one of its roles: { $roles }. Ask somebody who manages it.
channel-forbidden = { $channels ->
    [none] ⚠️ No images are made in this channel. Go to another one.
   *[other] ⚠️ No images are made in this channel. Go to { $channels }.
}
resolution-forbidden = ⚠️ This server allows a resolution of { $highest } at most. Choose that or a lower one; nothing was ordered.
too-many-images = ⚠️ This server allows { $most ->
    [one] { $most } image
   *[other] { $most } images
} in one order at most. Ask for fewer; nothing was ordered.
web-search-forbidden = ⚠️ This server does not allow web search. Order without it; nothing was ordered.
safety-forbidden = ⚠️ Here { $option } may be { $lowest } to { $highest }. Choose one of those; nothing was ordered.
words-forbidden = ⚠️ Your prompt has words that this server does not allow. Use others; nothing was ordered.
pattern-too-slow = ⚠️ This server's forbidden words could not be looked for in time. Nothing was ordered; somebody who manages this server can mend the patterns in /settings, and a shorter prompt may pass.
bad-pattern = ⚠️ Line { $line } is nothing that can be looked for. Nothing was changed; mend that line, such as a bracket that is not closed.
too-many-words = ⚠️ These are too many forbidden words: { $most } characters fit in all, { $longest } in a line. Nothing was changed.
not-age-restricted = ⚠️ { $channel } is not marked as age-restricted in Discord, so no more than elsewhere can be let through there. Nothing was changed; mark the channel first.
safety-order = ⚠️ The strictest safety_tolerance would be { $strictest }, above the loosest one, { $loosest }. Nothing was changed; change the other one first.
no-such-zone = ⚠️ There is no time zone { $zone }. Nothing was changed; write it like Europe/Berlin or UTC.
default-not-taken = ⚠️ The option { $option } does not take that value. Nothing was changed.
log-closed = ⚠️ I cannot write in { $channel }: I need { $permissions } there. Nothing was changed; give me these rights in the channel's settings, or choose another one.
permission-send_messages = Send Messages
blocked-full = ⚠️ This server has blocked { $most } members, and takes no more. Nothing was removed; press Remove alone, or unblock somebody in /settings.
setting-unknown = ⚠️ This cannot be set here any more. Nothing was changed; open /settings anew.

## /settings: current values

settings-title = What holds on this server
section-channels = Channels
section-people = People
section-images = Images
section-safety = Safety
section-words = Forbidden words
section-results = Results
section-defaults = Default options
section-server = Time zone and log
setting-allowed_channels = Images are made in: { $value }
setting-forbidden_channels = They are not made in: { $value }
setting-allowed_roles = May make images: { $value }
setting-blocked_members = Blocked: { $value }
setting-highest_resolution = Highest resolution: { $value }
setting-most_images = Most images in one order: { $value }
setting-may_search_web = Web search: { $value }
setting-strictest_safety = Strictest safety_tolerance: { $value }
setting-loosest_safety = Loosest safety_tolerance: { $value }
setting-channel_safety = Another loosest one in: { $value }
setting-forbidden_words = Not allowed in prompts: { $value }
setting-is_spoiler = Images are { $value }
setting-is_private = Images are seen by { $value }
setting-default_options = Where nobody chooses: { $value }
setting-timezone = Time zone: { $value }
setting-log_channel = Log: { $value }
value-plain = { $value }
value-everywhere = everywhere
value-nowhere = nowhere
value-everybody = everybody
value-nobody = nobody
value-any = any
value-allowed = allowed
value-forbidden = not allowed
value-hidden = hidden until they are clicked
value-shown = shown at once
value-private = whoever ordered them alone
value-public = everybody in the channel
value-as-elsewhere = as elsewhere
value-of-model = what the model does
value-channel-safety = { $channel } up to { $level }
value-words = { $count ->
    [0] nothing
    [one] { $count } word or pattern
   *[other] { $count } words and patterns
}
value-more = { $count } more

## /settings: controls and forms

placeholder-section = Which part of the settings
placeholder-allowed_channels = Channels where images are made; none: everywhere
placeholder-forbidden_channels = Channels where they are not
placeholder-allowed_roles = Roles that may make images; none: everybody
placeholder-blocked_members = Members who may not
placeholder-pick-channel = A channel with another loosest safety_tolerance
placeholder-pick-option = An option to set a default for
placeholder-log_channel = The channel that is told who did what; none: no log
offer-highest_resolution = Highest resolution: { $value }
offer-most_images = Most images in one order: { $value }
offer-may_search_web = Web search: { $value }
offer-strictest_safety = Strictest safety_tolerance: { $value }
offer-loosest_safety = Loosest safety_tolerance: { $value }
offer-channel_safety = Loosest in { $channel }: { $value }
offer-is_spoiler = Images are { $value }
offer-is_private = Images are seen by { $value }
offer-default_options = { $option }: { $value }
button-edit-forbidden_words = Edit the words
button-edit-timezone = Change the time zone
button-edit-default_options = Set { $option }
modal-forbidden_words = Forbidden words
modal-timezone = Time zone
modal-default_options = Default
label-forbidden_words = One word or phrase a line
label-timezone = Name
label-default_options = Value
hint-forbidden_words = Whole words, whatever their case. A line between slashes is a pattern: /f[o0]x/
hint-timezone = Such as Europe/Berlin, Asia/Tokyo or UTC. Limits begin anew by it.
hint-default_options = What holds where nobody chooses. Leave it empty for what the model does.

## The audit log

log-delivered = 🖼️ { $member } made { $images ->
    [one] { $images } image
   *[other] { $images } images
}: { $prompt } { $link }
log-cancelled = ✖️ { $by } cancelled a job of { $member }: { $prompt }
log-deleted = 🗑️ { $by } deleted a message of { $member } with its images: { $prompt }
log-blocked = ⛔ { $by } blocked { $member }, who makes no more images here
log-changed = ⚙️ { $member } changed a setting. Before: { $before }. Now: { $after }

## Commands, as Discord lists them

command-settings = Make the rules of this server: where, who, what, and a log of it all
log-quota = 📏 { $member } about limits: { $change }

"""What the managers of a server do not allow, and what the bot does not take from them as a setting."""

from __future__ import annotations

from bot.errors import UserError


class MemberBlockedError(UserError):
    """This server's managers have blocked the member."""

    key = "member-blocked"


class RoleNeededError(UserError):
    """Only some roles may make images on this server. Values: roles (mentions, comma-separated)."""

    key = "role-needed"


class ChannelForbiddenError(UserError):
    """No images are made in this channel.

    Values: channels (mentions, comma-separated, of some where they are; "none" where all but a few are).
    """

    key = "channel-forbidden"


class ResolutionForbiddenError(UserError):
    """This server's managers allow a lower resolution at most. Values: highest."""

    key = "resolution-forbidden"


class TooManyImagesError(UserError):
    """This server's managers allow fewer images in one order. Values: most."""

    key = "too-many-images"


class WebSearchForbiddenError(UserError):
    """This server's managers do not allow web search."""

    key = "web-search-forbidden"


class SafetyForbiddenError(UserError):
    """This server's managers allow other values of an option here. Values: option, lowest, highest."""

    key = "safety-forbidden"


class WordsForbiddenError(UserError):
    """The prompt has words that this server's managers do not allow; which ones is not told."""

    key = "words-forbidden"


class PatternTooSlowError(UserError):
    """This server's forbidden patterns could not be searched for in time; its managers can mend them."""

    key = "pattern-too-slow"


class BadPatternError(UserError):
    """A forbidden pattern cannot be looked for. Values: line (its number)."""

    key = "bad-pattern"


class TooManyWordsError(UserError):
    """The forbidden words are more than can be kept. Values: most, longest (both in characters)."""

    key = "too-many-words"


class NotAgeRestrictedError(UserError):
    """More is let through only where Discord shows a channel to adults alone. Values: channel (a mention)."""

    key = "not-age-restricted"


class SafetyOrderError(UserError):
    """The strictest safety_tolerance would be above the loosest. Values: strictest, loosest."""

    key = "safety-order"


class NoSuchZoneError(UserError):
    """There is no such time zone. Values: zone (what was written)."""

    key = "no-such-zone"


class DefaultNotTakenError(UserError):
    """An option does not take this value as its default. Values: option."""

    key = "default-not-taken"


class LogClosedError(UserError):
    """The bot may not write in the channel of the log. Values: channel (a mention), permissions (texts)."""

    key = "log-closed"


class BlockedFullError(UserError):
    """A server's list of blocked members takes no more. Values: most."""

    key = "blocked-full"


class SettingUnknownError(UserError):
    """There is no such setting, or it cannot have this value here: an old panel, or a forged one."""

    key = "setting-unknown"

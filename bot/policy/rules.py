"""What a server's settings make of an order: options filled in, or a refusal. Touches nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.models.options import SEED
from bot.models.schema import COUNTS, PROMPT
from bot.policy.errors import (
    ChannelForbiddenError,
    MemberBlockedError,
    ResolutionForbiddenError,
    RoleNeededError,
    SafetyForbiddenError,
    TooManyImagesError,
    WebSearchForbiddenError,
    WordsForbiddenError,
)
from bot.policy.word_filter import has_forbidden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.guild_settings import GuildSettings
    from bot.domain.job import Input, Value
    from bot.domain.requester import Requester
    from bot.errors import UserError
    from bot.models.model import Model
    from bot.models.options import Option

# What models call the options that a server may have rules for; a model without one has nothing to rule.
RESOLUTION: Final = "resolution"
WEB_SEARCH: Final = "enable_web_search"
SAFETY: Final = "safety_tolerance"
NOT_DEFAULTABLE: Final = frozenset({PROMPT, SEED})
"""Options that a server has no default for: what makes an order one's own."""

_ANYTHING = (-math.inf, math.inf)
_NAMED = 5  # how many channels or roles a refusal names


@dataclass(frozen=True)
class Wording:
    """The texts of an order beside what their server forbids."""

    words: tuple[str, ...]
    texts: tuple[str, ...]

    async def check(self) -> None:
        """Look for the words in the texts, which may take as long as a tenth of a second.

        Raises:
            WordsForbiddenError: A text has a forbidden word.
            PatternTooSlowError: The forbidden patterns took too long.
        """
        if await has_forbidden(self.words, self.texts):
            raise WordsForbiddenError


class UncheckedError(Exception):
    """The wording of an order is to be checked first, where nobody waits for that but who ordered."""

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self.wording = wording


def ruled(
    settings: GuildSettings,
    requester: Requester,
    model: Model,
    chosen: Mapping[str, object],
    checked: Wording | None = None,
) -> Input:
    """A complete input for the model: what was chosen, the server's defaults, and the model's own.

    What nobody chose is brought within the rules; what somebody chose is refused where it is not.

    Raises:
        UncheckedError: The server forbids words, and these were not `checked` in these texts.
        MemberBlockedError, RoleNeededError, ChannelForbiddenError: Nothing may be ordered so.
        ResolutionForbiddenError, TooManyImagesError, WebSearchForbiddenError, SafetyForbiddenError: Not that.
        InvalidOptionError: A value breaks the model's schema.
    """
    check_place(settings, requester)
    wanted = {name: value for name, value in chosen.items() if value is not None}
    cleaned = model.clean(_defaults(settings, requester, model) | wanted, requester.locale)
    for option in model.schema.options:
        _check(settings, requester, model, option, cleaned)
    if settings.forbidden_words:
        wording = Wording(settings.forbidden_words, _typed(model, cleaned))
        if wording != checked:
            raise UncheckedError(wording)
    return cleaned


def check_place(settings: GuildSettings, requester: Requester) -> None:
    """Whether this member may order anything in this channel.

    Raises:
        MemberBlockedError: The member is blocked.
        RoleNeededError: The member has none of the roles.
        ChannelForbiddenError: Not in this channel.
    """
    if requester.user_id in settings.blocked_members:
        raise MemberBlockedError
    if settings.allowed_roles and not settings.allowed_roles & requester.role_ids:
        raise RoleNeededError(roles=_mentions("@&", settings.allowed_roles))
    channel_id = _channel(requester)
    allowed = settings.allowed_channels - settings.forbidden_channels
    if channel_id in settings.forbidden_channels or (settings.allowed_channels and channel_id not in allowed):
        raise ChannelForbiddenError(channels=_mentions("#", allowed) or "none")


def loosest(settings: GuildSettings, channel_id: int, *, is_age_restricted: bool) -> int | None:
    """The highest safety_tolerance in a channel; None where nothing limits it.

    That of the channel itself holds; above that of the server only where Discord shows it to adults alone.
    """
    own, general = settings.channel_safety.get(channel_id), settings.loosest_safety
    if own is None or general is None or is_age_restricted:
        return general if own is None else own
    return min(own, general)


def _typed(model: Model, cleaned: Input) -> tuple[str, ...]:
    """What somebody may have typed word by word."""
    typed = [option.name for option in model.schema.options if option.type == "string" and not option.choices]
    return tuple(str(cleaned[name]) for name in typed if name in cleaned)


def _channel(requester: Requester) -> int:
    return requester.parent_channel_id or requester.channel_id


def _mentions(sign: str, ids: frozenset[int]) -> str:
    return ", ".join(f"<{sign}{each}>" for each in sorted(ids)[:_NAMED])


def _span(settings: GuildSettings, requester: Requester, option: Option) -> tuple[float, float]:
    """The lowest and the highest rank that the rules allow a value of this option; see `_rank`."""
    lowest, highest = _ANYTHING
    if option.name == RESOLUTION and settings.highest_resolution in option.choices:
        highest = option.choices.index(settings.highest_resolution)
    elif option.name in COUNTS and settings.most_images is not None:
        highest = settings.most_images
    elif option.name == WEB_SEARCH and not settings.may_search_web:
        highest = 0
    elif option.name == SAFETY:
        most = loosest(settings, _channel(requester), is_age_restricted=requester.is_age_restricted)
        highest = math.inf if most is None else most
        # Of two that contradict each other the stricter one holds, and a model that ends below still paints.
        strictest = -math.inf if settings.strictest_safety is None else settings.strictest_safety
        lowest = min(strictest, highest, _top(option))
    return lowest, highest


def _rank(option: Option, value: Value) -> float | None:
    """Where a value stands on its option's scale; None where there is none."""
    if option.name == RESOLUTION:
        return option.choices.index(value) if value in option.choices else None
    try:
        return float(value)
    except ValueError:
        return None


def _top(option: Option) -> float:
    ranks = [rank for each in option.choices if (rank := _rank(option, each)) is not None]
    return max(ranks, default=math.inf if option.maximum is None else option.maximum)


def _defaults(settings: GuildSettings, requester: Requester, model: Model) -> dict[str, object]:
    found: dict[str, object] = {}
    for option in model.schema.options:
        if option.name in NOT_DEFAULTABLE:
            continue
        value = default_of(settings, model, option)
        low, high = _span(settings, requester, option)
        if (low, high) != _ANYTHING:
            value = _clamped(model, option, value, low, high)
        found[option.name] = value
    return found


def default_of(settings: GuildSettings, model: Model, option: Option) -> Value | None:
    """What holds where nobody chooses: the server's default where the option takes it, else the model's."""
    own = settings.default_options.get(option.name)
    return own if own is not None and model.schema.takes(option.name, own) else option.default


def _clamped(model: Model, option: Option, value: Value | None, low: float, high: float) -> Value | None:
    """The nearest value that the rules allow; the value itself where there is none."""
    rank = None if value is None else _rank(option, value)
    if rank is not None and low <= rank <= high:
        return value
    ranked = [
        (_rank(option, each), each)
        for each in _scale(option, low, high)
        if model.schema.takes(option.name, each)
    ]
    allowed = [(at, each) for at, each in ranked if at is not None and low <= at <= high]
    if not allowed:
        return value
    # Of an option without a default nobody knows what the model does, so the lowest is said.
    return min(allowed, key=lambda each: abs(each[0] - (low if rank is None else rank)))[1]


def _scale(option: Option, low: float, high: float) -> list[Value]:
    if option.choices:
        return list(option.choices)
    if option.type == "boolean":
        return [False, True]
    ends = [option.typed(end) for end in (low, high) if math.isfinite(end)]
    return [end for end in ends if end is not None]


def _check(
    settings: GuildSettings, requester: Requester, model: Model, option: Option, cleaned: Input
) -> None:
    low, high = _span(settings, requester, option)
    if (low, high) == _ANYTHING or option.name not in cleaned:
        return
    rank = _rank(option, cleaned[option.name])
    if rank is not None and not low <= rank <= high:
        raise _refusal(settings, option, model.option_names(requester.locale)[option.name], low, high)


def _refusal(settings: GuildSettings, option: Option, name: str, low: float, high: float) -> UserError:
    if option.name == RESOLUTION:
        return ResolutionForbiddenError(highest=settings.highest_resolution or "")
    if option.name == WEB_SEARCH:
        return WebSearchForbiddenError()
    if option.name == SAFETY:
        ends = option.choices or option.bounds(0, 100)
        lowest, highest = (
            (low if math.isfinite(low) else ends[0]),
            (high if math.isfinite(high) else ends[-1]),
        )
        return SafetyForbiddenError(option=name, lowest=str(lowest), highest=str(highest))
    return TooManyImagesError(most=int(high))

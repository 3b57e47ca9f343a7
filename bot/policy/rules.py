"""What a server's settings make of an order: options filled in, or a refusal. Touches nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.errors import PolicyError
from bot.models.options import SEED
from bot.models.schema import IMAGE_COUNT_OPTIONS, PROMPT
from bot.policy.word_filter import contains_forbidden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.guild_settings import GuildSettings
    from bot.domain.job import Input, OptionValue
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

_UNLIMITED = (-math.inf, math.inf)
_MAX_MENTIONS = 5  # how many channels or roles a refusal names


@dataclass(frozen=True)
class ForbiddenWordCheck:
    """The texts of an order beside what their server forbids."""

    words: tuple[str, ...]
    texts: tuple[str, ...]

    async def check(self) -> None:
        """Look for the words in the texts, which may take as long as a tenth of a second.

        Raises:
            PolicyError: `words-forbidden` or `pattern-too-slow`.
        """
        if await contains_forbidden(self.words, self.texts):
            raise PolicyError("words-forbidden")


class UncheckedError(Exception):
    """The wording of an order is to be checked first, where nobody waits for that but who ordered."""

    def __init__(self, word_check: ForbiddenWordCheck) -> None:
        super().__init__()
        self.word_check = word_check


def apply_policy(
    settings: GuildSettings,
    requester: Requester,
    model: Model,
    chosen: Mapping[str, object],
    checked: ForbiddenWordCheck | None = None,
) -> Input:
    """A complete input for the model: what was chosen, the server's defaults, and the model's own.

    What nobody chose is brought within the rules; what somebody chose is refused where it is not.

    Raises:
        UncheckedError: The server forbids words, and these were not `checked` in these texts.
        PolicyError: `member-blocked`, `role-needed`, `channel-forbidden`, `resolution-forbidden`,
            `too-many-images`, `web-search-forbidden` or `safety-forbidden`.
        InvalidOptionError: A value breaks the model's schema.
    """
    check_access(settings, requester)
    wanted = {name: value for name, value in chosen.items() if value is not None}
    cleaned = model.clean(_defaults(settings, requester, model) | wanted, requester.locale)
    for option in model.schema.options:
        _check_option(settings, requester, model, option, cleaned)
    if settings.forbidden_words:
        word_check = ForbiddenWordCheck(settings.forbidden_words, _free_text(model, cleaned))
        if word_check != checked:
            raise UncheckedError(word_check)
    return cleaned


def check_access(settings: GuildSettings, requester: Requester) -> None:
    """Whether this member may order anything in this channel.

    Raises:
        PolicyError: `member-blocked`, `role-needed` or `channel-forbidden`.
    """
    if requester.user_id in settings.blocked_members:
        raise PolicyError("member-blocked")
    if settings.allowed_roles and not settings.allowed_roles & requester.role_ids:
        raise PolicyError("role-needed", roles=_mentions("@&", settings.allowed_roles))
    channel_id = _channel(requester)
    allowed = settings.allowed_channels - settings.forbidden_channels
    if channel_id in settings.forbidden_channels or (settings.allowed_channels and channel_id not in allowed):
        raise PolicyError("channel-forbidden", channels=_mentions("#", allowed) or "none")


def max_safety_tolerance(settings: GuildSettings, channel_id: int, *, is_age_restricted: bool) -> int | None:
    """The highest safety_tolerance in a channel; None where nothing limits it.

    That of the channel itself holds; above that of the server only where Discord shows it to adults alone.
    """
    own, general = settings.channel_safety.get(channel_id), settings.loosest_safety
    if own is None or general is None or is_age_restricted:
        return general if own is None else own
    return min(own, general)


def _free_text(model: Model, cleaned: Input) -> tuple[str, ...]:
    """What somebody may have typed word by word."""
    typed = [option.name for option in model.schema.options if option.type == "string" and not option.choices]
    return tuple(str(cleaned[name]) for name in typed if name in cleaned)


def _channel(requester: Requester) -> int:
    return requester.parent_channel_id or requester.channel_id


def _mentions(sign: str, ids: frozenset[int]) -> str:
    return ", ".join(f"<{sign}{each}>" for each in sorted(ids)[:_MAX_MENTIONS])


def _allowed_range(settings: GuildSettings, requester: Requester, option: Option) -> tuple[float, float]:
    """The lowest and the highest rank that the rules allow a value of this option; see `_rank`."""
    lowest, highest = _UNLIMITED
    if option.name == RESOLUTION and settings.highest_resolution in option.choices:
        highest = option.choices.index(settings.highest_resolution)
    elif option.name in IMAGE_COUNT_OPTIONS and settings.most_images is not None:
        highest = settings.most_images
    elif option.name == WEB_SEARCH and not settings.may_search_web:
        highest = 0
    elif option.name == SAFETY:
        most = max_safety_tolerance(
            settings, _channel(requester), is_age_restricted=requester.is_age_restricted
        )
        highest = math.inf if most is None else most
        # Of two that contradict each other the stricter one holds, and a model that ends below still paints.
        strictest = -math.inf if settings.strictest_safety is None else settings.strictest_safety
        lowest = min(strictest, highest, _highest_ordinal(option))
    return lowest, highest


def _ordinal(option: Option, value: OptionValue) -> float | None:
    """Where a value stands on its option's scale; None where there is none."""
    if option.name == RESOLUTION:
        return option.choices.index(value) if value in option.choices else None
    try:
        return float(value)
    except ValueError:
        return None


def _highest_ordinal(option: Option) -> float:
    ranks = [rank for each in option.choices if (rank := _ordinal(option, each)) is not None]
    return max(ranks, default=math.inf if option.maximum is None else option.maximum)


def _defaults(settings: GuildSettings, requester: Requester, model: Model) -> dict[str, object]:
    found: dict[str, object] = {}
    for option in model.schema.options:
        if option.name in NOT_DEFAULTABLE:
            continue
        value = effective_default(settings, model, option)
        low, high = _allowed_range(settings, requester, option)
        if (low, high) != _UNLIMITED:
            value = _clamp(model, option, value, low, high)
        found[option.name] = value
    return found


def effective_default(settings: GuildSettings, model: Model, option: Option) -> OptionValue | None:
    """What holds where nobody chooses: the server's default where the option takes it, else the model's."""
    own = settings.default_options.get(option.name)
    return own if own is not None and model.schema.accepts(option.name, own) else option.default


def _clamp(
    model: Model, option: Option, value: OptionValue | None, low: float, high: float
) -> OptionValue | None:
    """The nearest value that the rules allow; the value itself where there is none."""
    rank = None if value is None else _ordinal(option, value)
    if rank is not None and low <= rank <= high:
        return value
    ranked = [
        (_ordinal(option, each), each)
        for each in _candidates(option, low, high)
        if model.schema.accepts(option.name, each)
    ]
    allowed = [(at, each) for at, each in ranked if at is not None and low <= at <= high]
    if not allowed:
        return value
    # Of an option without a default nobody knows what the model does, so the lowest is said.
    return min(allowed, key=lambda each: abs(each[0] - (low if rank is None else rank)))[1]


def _candidates(option: Option, low: float, high: float) -> list[OptionValue]:
    if option.choices:
        return list(option.choices)
    if option.type == "boolean":
        return [False, True]
    ends = [option.coerce(end) for end in (low, high) if math.isfinite(end)]
    return [end for end in ends if end is not None]


def _check_option(
    settings: GuildSettings, requester: Requester, model: Model, option: Option, cleaned: Input
) -> None:
    low, high = _allowed_range(settings, requester, option)
    if (low, high) == _UNLIMITED or option.name not in cleaned:
        return
    rank = _ordinal(option, cleaned[option.name])
    if rank is not None and not low <= rank <= high:
        raise _refusal(settings, option, model.option_names(requester.locale)[option.name], low, high)


def _refusal(settings: GuildSettings, option: Option, name: str, low: float, high: float) -> UserError:
    if option.name == RESOLUTION:
        return PolicyError("resolution-forbidden", highest=settings.highest_resolution or "")
    if option.name == WEB_SEARCH:
        return PolicyError("web-search-forbidden")
    if option.name == SAFETY:
        ends = option.choices or option.bounds(0, 100)
        lowest, highest = (
            (low if math.isfinite(low) else ends[0]),
            (high if math.isfinite(high) else ends[-1]),
        )
        return PolicyError("safety-forbidden", option=name, lowest=str(lowest), highest=str(highest))
    return PolicyError("too-many-images", most=int(high))

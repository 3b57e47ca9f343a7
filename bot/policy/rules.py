"""Apply a server's rules to a job: fill in defaults or refuse it. Pure, apart from the word filter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeVar

from bot.errors import PolicyError
from bot.models.discord_limits import MAX_CHOICES
from bot.models.options import SEED
from bot.models.resolutions import resolution_width
from bot.models.schema import IMAGE_COUNT_OPTIONS
from bot.policy.word_filter import contains_forbidden

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from bot.domain.guild_settings import GuildSettings
    from bot.domain.job import Input, OptionValue
    from bot.domain.requester import Requester
    from bot.models.model import Model
    from bot.models.options import Option

# RunComfy's names of the options that a server can have rules for.
RESOLUTION: Final = "resolution"
WEB_SEARCH: Final = "enable_web_search"
SAFETY: Final = "safety_tolerance"
_UNLIMITED = (-math.inf, math.inf)
T = TypeVar("T")


def is_personal(option: Option) -> bool:
    """Return whether a server cannot set a default for an option, such as the prompt or the seed."""
    return option.is_main_text or option.name == SEED


def apply_policy(
    settings: GuildSettings, requester: Requester, model: Model, chosen: Mapping[str, object]
) -> Input:
    """Return a complete input for the model.

    An option that was not chosen gets the server's or the model's default, clamped to the rules.

    Raises:
        PolicyError: `member-blocked`, `role-needed`, `channel-forbidden`, `resolution-forbidden`,
            `too-many-images`, `web-search-forbidden` or `safety-forbidden`.
        InvalidOptionError: A value breaks the model's schema.
    """
    check_access(settings, requester)
    cleaned = model.clean(_with_defaults(settings, requester, model, chosen), requester.locale)
    for name, value in cleaned.items():
        option = model.schema.options[name]
        limits = _allowed_range(settings, requester, option)
        _check_range(settings, model, option, value, limits, locale=requester.locale)
    return cleaned


def credits_per_image(settings: GuildSettings, model: Model, chosen: Mapping[str, OptionValue]) -> Decimal:
    """Return what an image of such a request costs, by the defaults for what is not chosen."""
    values = _with_defaults(settings, None, model, chosen)
    return model.prices.credits_per_image(
        {name: value for name, value in values.items() if value is not None}
    )


def _with_defaults(
    settings: GuildSettings, requester: Requester | None, model: Model, chosen: Mapping[str, T]
) -> dict[str, T | OptionValue | None]:
    """Return the chosen values, and the clamped defaults of the other options."""
    defaults: dict[str, T | OptionValue | None] = {
        name: _default(settings, model, option, *_allowed_range(settings, requester, option))
        for name, option in model.schema.options.items()
        if not is_personal(option)
    }
    return defaults | {name: value for name, value in chosen.items() if value is not None}


def check_default(settings: GuildSettings, model: Model, name: str, value: OptionValue, locale: str) -> None:
    """Check that the rules allow a default in at least one channel.

    Raises:
        PolicyError: `resolution-forbidden`, `too-many-images`, `web-search-forbidden` or `safety-forbidden`.
    """
    option = model.schema.options[name]
    _check_range(settings, model, option, value, _allowed_range(settings, None, option), locale=locale)


async def check_words(settings: GuildSettings, model: Model, values: Input) -> None:
    """Search the free text of an input for the server's forbidden words, for at most 0.1 s of CPU time.

    Raises:
        PolicyError: `words-forbidden` or `pattern-too-slow`.
    """
    words = settings.forbidden_words
    options = model.schema.options.items()
    typed = [name for name, option in options if option.type == "string" and not option.choices]
    if words and await contains_forbidden(words, [str(values[name]) for name in typed if name in values]):
        raise PolicyError("words-forbidden")


def check_access(settings: GuildSettings, requester: Requester) -> None:
    """Check that the member can generate images in this channel; a thread counts as its parent channel.

    Raises:
        PolicyError: `member-blocked`, `role-needed` or `channel-forbidden`.
    """
    if requester.user_id in settings.blocked_members:
        by = "moderator" if requester.user_id in settings.moderator_blocks else "manager"
        raise PolicyError("member-blocked", by=by)
    if settings.allowed_roles and not settings.allowed_roles & requester.role_ids:
        raise PolicyError("role-needed", roles=_mentions("@&", settings.allowed_roles))
    channel_id = requester.parent_channel_id or requester.channel_id
    allowed = settings.allowed_channels - settings.forbidden_channels
    if channel_id in settings.forbidden_channels or (settings.allowed_channels and channel_id not in allowed):
        raise PolicyError("channel-forbidden", channels=_mentions("#", allowed) or "none")


def may_be_used(settings: GuildSettings, model_id: str, *, has_pictures: bool) -> bool:
    """Return whether a server's rules let anyone use a model, and pictures with it."""
    return model_id not in settings.forbidden_models and (settings.may_use_pictures or not has_pictures)


def check_model(settings: GuildSettings, requester: Requester, model: Model, *, has_pictures: bool) -> None:
    """Check that the member can use a model, and pictures with it.

    Raises:
        PolicyError: `model-forbidden`, `model-role-needed`, `pictures-forbidden` or `picture-role-needed`.
    """
    if model.model_id in settings.forbidden_models:
        raise PolicyError("model-forbidden", command=f"/{model.command}")
    if has_pictures and not settings.may_use_pictures:
        raise PolicyError("pictures-forbidden")
    model_roles = settings.model_roles.get(model.model_id, frozenset())
    if model_roles and not model_roles & requester.role_ids:
        roles = _mentions("@&", model_roles)
        raise PolicyError("model-role-needed", command=f"/{model.command}", roles=roles)
    if has_pictures and settings.picture_roles and not settings.picture_roles & requester.role_ids:
        raise PolicyError("picture-role-needed", roles=_mentions("@&", settings.picture_roles))


def allowed_values(settings: GuildSettings, requester: Requester | None, option: Option) -> list[OptionValue]:
    """Return those of an option's listed values that the server's rules allow, in the schema's order.

    Without a requester, they are those of the least restricted channel.
    """
    low, high = _allowed_range(settings, requester, option)
    ordinals = {each: _ordinal(option, each) for each in option.listed(MAX_CHOICES)}
    return [each for each, ordinal in ordinals.items() if ordinal is None or low <= ordinal <= high]


def _mentions(sign: str, ids: frozenset[int]) -> str:
    return ", ".join(f"<{sign}{each}>" for each in sorted(ids)[:5])


def _allowed_range(
    settings: GuildSettings, requester: Requester | None, option: Option
) -> tuple[float, float]:
    """Return the lowest and highest ordinal that the server's rules allow for an option.

    Without a requester, they are those of the least restricted channel.
    """
    lowest, highest = _UNLIMITED
    if option.name == RESOLUTION:
        ordinal = _ordinal(option, settings.highest_resolution)
        highest = math.inf if ordinal is None else ordinal
    elif option.name in IMAGE_COUNT_OPTIONS and settings.most_images is not None:
        highest = settings.most_images
    elif option.name == WEB_SEARCH and not settings.may_search_web:
        highest = 0
    elif option.name == SAFETY:
        highest = _max_safety_tolerance(settings, requester)
        # If the two contradict, the stricter one wins; a model whose scale ends below still works.
        strictest = -math.inf if settings.strictest_safety is None else settings.strictest_safety
        lowest = min(strictest, highest, _highest_ordinal(option))
    return lowest, highest


def _check_range(
    settings: GuildSettings,
    model: Model,
    option: Option,
    value: OptionValue,
    limits: tuple[float, float],
    *,
    locale: str,
) -> None:
    ordinal = _ordinal(option, value)
    if ordinal is not None and not limits[0] <= ordinal <= limits[1]:
        raise _option_refusal(settings, option, model.option_names(locale)[option.name], *limits)


def _max_safety_tolerance(settings: GuildSettings, requester: Requester | None) -> float:
    """Return the highest safety_tolerance in the requester's channel.

    A channel's own value applies; if it exceeds the server's, then only in an age-restricted channel.
    """
    general = math.inf if settings.loosest_safety is None else settings.loosest_safety
    if requester is None:
        return max(general, *settings.channel_safety.values(), 0)
    own = settings.channel_safety.get(requester.parent_channel_id or requester.channel_id, general)
    return own if requester.is_age_restricted else min(own, general)


def _ordinal(option: Option, value: OptionValue | None) -> float | None:
    """Return a value's position on its option's scale, or None if it has none."""
    if option.name == RESOLUTION and (width := resolution_width(value)) is not None:
        return width
    if option.name == RESOLUTION:
        return option.choices.index(value) if value in option.choices else None
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _highest_ordinal(option: Option) -> float:
    ordinals = [ordinal for each in option.choices if (ordinal := _ordinal(option, each)) is not None]
    return max(ordinals, default=math.inf if option.maximum is None else option.maximum)


def _default(
    settings: GuildSettings, model: Model, option: Option, low: float, high: float
) -> OptionValue | None:
    """Return the server's default if the option accepts it, else the model's, clamped to the range.

    It stays outside the range if the option has no value there.
    """
    own = _own_default(settings, option)
    value = own if own is not None and model.schema.accepts(option.name, own) else option.default
    current = _ordinal(option, value)
    if (low, high) == _UNLIMITED or (current is not None and low <= current <= high):
        return value
    allowed = {
        ordinal: each
        for each in _candidates(option, low, high)
        if model.schema.accepts(option.name, each)
        and (ordinal := _ordinal(option, each)) is not None
        and low <= ordinal <= high
    }
    # Without a default it is unknown what the model would do, so the lowest value is safest.
    target = low if current is None else current
    return allowed[min(allowed, key=lambda ordinal: abs(ordinal - target))] if allowed else value


def _own_default(settings: GuildSettings, option: Option) -> OptionValue | None:
    """Return the server's default as the option spells it, such as "2k" for "2K"."""
    own = settings.default_options.get(option.name)
    width = resolution_width(own) if option.name == RESOLUTION else None
    if width is None or own in option.choices:
        return own
    return next((each for each in option.choices if resolution_width(each) == width), own)


def _candidates(option: Option, low: float, high: float) -> Sequence[OptionValue]:
    if option.choices or option.type == "boolean":
        return option.choices or (False, True)
    ends = map(option.coerce, (low, high))
    return [end for end in ends if end is not None]


def _option_refusal(
    settings: GuildSettings, option: Option, name: str, low: float, high: float
) -> PolicyError:
    if option.name == RESOLUTION:
        return PolicyError("resolution-forbidden", highest=settings.highest_resolution or "")
    if option.name == WEB_SEARCH:
        return PolicyError("web-search-forbidden")
    if option.name == SAFETY:
        ends = option.choices or option.bounds(0, 100)
        lowest = low if math.isfinite(low) else ends[0]
        highest = high if math.isfinite(high) else ends[-1]
        return PolicyError("safety-forbidden", option=name, lowest=str(lowest), highest=str(highest))
    return PolicyError("too-many-images", most=int(high))

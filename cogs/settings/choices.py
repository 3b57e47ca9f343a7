"""What the models of the catalogue let a server choose from; a select takes 25 lines, one is for none."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from bot.domain.guild_settings import LISTED_MAX
from bot.models.schema import IMAGE_COUNT_OPTIONS
from bot.policy.rules import NOT_DEFAULTABLE, RESOLUTION, SAFETY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.domain.job import OptionValue
    from bot.models.catalogue import Catalogue
    from bot.models.options import Option

_LINES = 24
_SAFETY = (0, 20)  # where a model does not say


def resolutions(catalogue: Catalogue) -> list[str]:
    """Every resolution that a model has, in the models' own order."""
    found = [str(each) for option in _named(catalogue, RESOLUTION) for each in option.choices]
    return list(dict.fromkeys(found))[:_LINES]


def counts(catalogue: Catalogue) -> list[int]:
    """From one image up to the most that a model makes at once."""
    options = [option for name in IMAGE_COUNT_OPTIONS for option in _named(catalogue, name)]
    most = max((option.bounds(1, _LINES)[1] for option in options), default=0)
    return list(range(1, most + 1))


def levels(catalogue: Catalogue) -> list[int]:
    """Every safety_tolerance that a model has, strictest first."""
    found = {each for option in _named(catalogue, SAFETY) for each in choices(option) or range(*_SAFETY)}
    return sorted(int(each) for each in found if str(each).isdecimal())[:_LINES]


def defaultable(catalogue: Catalogue) -> dict[str, Option]:
    """The options that a server may have a default for, by name."""
    options = [option for model in catalogue.models for option in model.schema.options]
    found = {option.name: option for option in reversed(options) if option.name not in NOT_DEFAULTABLE}
    names = dict.fromkeys(option.name for option in options if option.name in found)
    return {name: found[name] for name in islice(names, LISTED_MAX)}


def choices(option: Option) -> list[OptionValue]:
    """Every value of an option, where they are few enough to choose from; else none."""
    if option.type == "boolean":
        return [True, False]
    if option.choices:
        return list(option.choices[:_LINES])
    if option.type == "integer" and option.minimum is not None and option.maximum is not None:
        low, high = option.bounds(-(2**31), 2**31)
        return list(range(low, high + 1)) if high - low < _LINES else []
    return []


def _named(catalogue: Catalogue, name: str) -> Iterator[Option]:
    return (option for model in catalogue.models if (option := model.schema.option(name)))

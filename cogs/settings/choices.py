"""The values that a server can choose from, as its models offer them; None means no limit."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from bot.domain.guild_settings import LISTED_MAX
from bot.models.schema import IMAGE_COUNT_OPTIONS
from bot.policy.rules import NOT_DEFAULTABLE, RESOLUTION, SAFETY

if TYPE_CHECKING:
    from bot.domain.job import OptionValue
    from bot.models.catalogue import Catalogue, Model
    from bot.models.options import Option

LINES = 24  # a select takes 25, and one is for None
_SAFETY = (0, 20)  # if a model does not say


def resolutions(catalogue: Catalogue) -> list[OptionValue | None]:
    """Return the resolutions of all models, in the models' own order."""
    found = [str(each) for option in _named(catalogue, RESOLUTION) for each in option.choices]
    return [None, *list(dict.fromkeys(found))[:LINES]]


def image_counts(catalogue: Catalogue) -> list[OptionValue | None]:
    """Return 1 to the most images that a model generates at once."""
    options = [option for name in IMAGE_COUNT_OPTIONS for option in _named(catalogue, name)]
    return [None, *range(1, max((option.bounds(1, LINES)[1] for option in options), default=0) + 1)]


def safety_levels(catalogue: Catalogue) -> list[OptionValue | None]:
    """Return the safety_tolerance values of all models, strictest first."""
    options = _named(catalogue, SAFETY)
    found = {each for option in options for each in option.listed(LINES) or range(*_SAFETY)}
    return [None, *sorted(int(each) for each in found if str(each).isdecimal())[:LINES]]


def default_options(catalogue: Catalogue) -> dict[str, tuple[Model, Option]]:
    """Return the options that a server can set a default for, by name, each with the first model of it."""
    found: dict[str, tuple[Model, Option]] = {}
    for model in catalogue.values():
        for name, option in model.schema.options.items():
            if name not in NOT_DEFAULTABLE:
                found.setdefault(name, (model, option))
    return dict(islice(found.items(), LISTED_MAX))


def _named(catalogue: Catalogue, name: str) -> list[Option]:
    return [option for model in catalogue.values() if (option := model.schema.options.get(name))]
